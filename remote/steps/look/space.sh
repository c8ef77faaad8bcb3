#!/bin/sh
# Tell how much room is left where the archives are.
# tells: free_bytes
open_directory
[ ! -d "$backup_dir" ] || fact free_bytes "$(free_bytes)"
