# Only what busybox's awk has without its math library: arithmetic, powers, roots by Newton, printf.
function root(x,   r, k) {
	r = x
	for (k = 0; k < 20; k++)
		r = (r + x / r) / 2
	return r
}
BEGIN {
	s = 0
	for (i = 1; i < 2000; i++)
		s += root(i) / (1 + i * 1e-3) - int(i / 7) * 0.1 + (i % 3.7)
	printf "%.17g %.17g %d %g\n", s, 1e308 * 10 - root(2), 7.99, -1 / 3
}
