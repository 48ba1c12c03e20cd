# 64 MiB that are not all alike.
i=0
while [ $i -lt 16 ]; do
	head -c 4194304 /dev/zero | tr '\000' "\\0$((i + 101))"
	i=$((i + 1))
done
