"""What predeploy needs: a test restore on this machine, and what it hands over."""
