# From here on every way out leads through `finish`.

backup_dir=$(absolute "$backup_dir")
backup_path=$backup_dir
stop_file=$backup_dir/run.partial/stop.$fence

trap '' PIPE
trap interrupted INT TERM HUP
trap finish EXIT
began_seconds=$(date +%s)
