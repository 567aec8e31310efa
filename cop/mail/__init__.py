"""What all emails have in common: composing, headers, transports. Independent of meetings."""
