"""Refusals of a file that is no participants report; errors.py names them with the others."""

from cop.domain.broken import RuleBroken
from cop.words import N_


class ReportRefused(RuleBroken):
    """A file that is no participants report of Zoom."""

    field = "report"
    reason = N_(
        "This is no participants report: no line of it names columns like Name and Duration. "
        "Look in Zoom under Reports, Usage, the number of participants, Export."
    )


class ReportMissing(ReportRefused):
    """No file, or one without people."""

    reason = N_("Choose the file that Zoom gave you: nobody is named in what arrived here.")


class ReportOfNobody(ReportRefused):
    """Nobody is registered whom it could recognize."""

    reason = N_("Nobody is registered for this session, so there is nobody to recognize.")


class ReportNotText(ReportRefused):
    """A workbook, a picture, a document."""

    reason = N_(
        "This file is a workbook, a picture or a document. Zoom's Export button gives a CSV file; "
        "a workbook can be saved as one: CSV UTF-8."
    )


class ReportOfRegistered(ReportRefused):
    """It says who registered, and not who came."""

    reason = N_(
        "This list has names and no times, so it does not say who came. Look in Zoom under "
        "Reports, Usage, the number of participants, Export."
    )


class ReportOfMeetings(ReportRefused):
    """It lists meetings, and not the people in one."""

    reason = N_(
        "This is a list of meetings. Click the number of participants in the line of this "
        "session in Zoom, and export the list that opens."
    )


class ReportEndless(ReportRefused):
    """Longer lines, or more of them, than any report has."""

    reason = N_("This file has longer lines, or more of them, than Zoom writes. Export it again.")


class ReportGone(ReportRefused):
    """It was kept, deleted or replaced while somebody looked at it."""

    reason = N_(
        "This report has been kept or deleted meanwhile, or another one took its place. Nothing "
        "was changed. Look at what stands here now, and choose the file again if need be."
    )
