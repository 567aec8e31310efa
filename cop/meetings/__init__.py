"""Sessions: the schedule, planning ahead, and how pages and emails show one."""
