PUT 'file:///tmp/file0.txt' ? parallel=4 source_compression=auto_detect
