#!/bin/sh
# Tell how much room is left where the archives are.
[ ! -d "$backup_dir" ] || fact free_bytes "$(free_bytes)"
