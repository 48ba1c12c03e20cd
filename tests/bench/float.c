/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Floating-point loads for tests/bench/boot, run in the guest: float NAME [ROUNDS]. Each prints a result that depends on all that
 * it computed, so that two processors can be compared as well. Without a name: the names.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Escape times of a square of the complex plane: scalar double, no memory. */
static double mandelbrot(int size)
{
	long sum = 0;

	for (int y = 0; y < size; y++)
		for (int x = 0; x < size; x++) {
			double cr = 3.0 * x / size - 2.25, ci = 3.0 * y / size - 1.5, r = 0, i = 0;
			int n = 0;

			while (n < 200 && r * r + i * i < 4) {
				double t = r * r - i * i + cr;

				i = 2 * r * i + ci;
				r = t;
				n++;
			}
			sum += n;
		}
	return (double)sum;
}

/* Bodies that attract each other: double with memory operands, square roots, divisions. */
static double nbody(int steps)
{
	struct body {
		double x, y, z, vx, vy, vz, mass;
	} b[5];
	double energy = 0;

	for (int i = 0; i < 5; i++)
		b[i] = (struct body){i * 1.5,	     i * i * 0.3, 0.1 * i,	0.01 * i,
				     0.3 - 0.05 * i, 0.002 * i,	  1.0 / (1 + i)};
	for (int s = 0; s < steps; s++) {
		for (int i = 0; i < 5; i++)
			for (int j = i + 1; j < 5; j++) {
				double dx = b[i].x - b[j].x, dy = b[i].y - b[j].y,
				       dz = b[i].z - b[j].z;
				double d2 = dx * dx + dy * dy + dz * dz + 0.01;
				double mag = 0.001 / (d2 * sqrt(d2));

				b[i].vx -= dx * b[j].mass * mag;
				b[i].vy -= dy * b[j].mass * mag;
				b[i].vz -= dz * b[j].mass * mag;
				b[j].vx += dx * b[i].mass * mag;
				b[j].vy += dy * b[i].mass * mag;
				b[j].vz += dz * b[i].mass * mag;
			}
		for (int i = 0; i < 5; i++) {
			b[i].x += 0.001 * b[i].vx;
			b[i].y += 0.001 * b[i].vy;
			b[i].z += 0.001 * b[i].vz;
		}
	}
	for (int i = 0; i < 5; i++)
		energy += b[i].mass * (b[i].vx * b[i].vx + b[i].vy * b[i].vy + b[i].vz * b[i].vz);
	return energy;
}

/* What the C library computes by itself. */
static double libm(int rounds)
{
	double sum = 0;

	for (int i = 1; i <= rounds; i++) {
		double x = i * 1e-3;

		sum += sin(x) + exp(-x * 1e-2) + log(x) + sqrt(x) + pow(x, 0.3);
	}
	return sum;
}

/* Single precision; the inner loop is one that compilers make vectors of. */
static double matrix(int rounds)
{
	enum { N = 96 };
	static float a[N][N], b[N][N], c[N][N];
	double sum = 0;

	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			a[i][j] = (float)(i + j) / N;
			b[i][j] = (float)(i - j) / N;
		}
	for (int r = 0; r < rounds; r++) {
		memset(c, 0, sizeof(c));
		for (int i = 0; i < N; i++)
			for (int k = 0; k < N; k++)
				for (int j = 0; j < N; j++)
					c[i][j] += a[i][k] * b[k][j];
		a[r % N][r % 7] += c[r % 5][r % N] * 1e-3f;
	}
	for (int i = 0; i < N; i++)
		sum += c[i][i];
	return sum;
}

/* x87. */
static double extended(int rounds)
{
	long double x = 1, sum = 0;

	for (int i = 1; i <= rounds; i++) {
		x = (x + (long double)i / x) / 2;
		sum += x * 1.0000001L - sum / (i + 1);
	}
	return (double)sum;
}

static const struct {
	const char *name;
	double (*fn)(int n);
	int n;
} loads[] = {
	{"mandelbrot", mandelbrot, 900}, {"nbody", nbody, 300000},   {"libm", libm, 2000000},
	{"matrix", matrix, 200},	 {"x87", extended, 5000000},
};

int main(int argc, char **argv)
{
	for (unsigned i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		if (argc < 2)
			printf("%s\n", loads[i].name);
		else if (!strcmp(argv[1], loads[i].name))
			printf("%s %.15g\n", argv[1],
			       loads[i].fn(argc > 2 ? atoi(argv[2]) : loads[i].n));
	}
	return 0;
}
