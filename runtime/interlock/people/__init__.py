"""People in the loop: escalations, approvals, and how both get on with the turns."""
