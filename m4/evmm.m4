# SPDX-License-Identifier: BSD-2-Clause
# EVMM_COMPILER_FLAGS: the warnings that the tree is kept clean of; --enable-werror for CI.
AC_DEFUN([EVMM_COMPILER_FLAGS], [
	AC_ARG_ENABLE([werror],
		[AS_HELP_STRING([--enable-werror], [treat compiler warnings as errors])],
		[], [enable_werror=no])
	EVMM_CFLAGS="-std=gnu11 -Wall -Wextra -Wno-unused-parameter -fno-strict-aliasing -fno-tree-slp-vectorize -fno-common -pthread -falign-functions=64"
	AS_IF([test "$enable_werror" = yes], [EVMM_CFLAGS="$EVMM_CFLAGS -Werror"])
	AC_SUBST([EVMM_CFLAGS])
])

# EVMM_ENABLE_SANITIZERS: --enable-sanitizers builds everything with ASan and UBSan.
AC_DEFUN([EVMM_ENABLE_SANITIZERS], [
	AC_ARG_ENABLE([sanitizers],
		[AS_HELP_STRING([--enable-sanitizers], [build with AddressSanitizer and UndefinedBehaviorSanitizer])],
		[], [enable_sanitizers=no])
	AS_IF([test "$enable_sanitizers" = yes], [
		EVMM_CFLAGS="$EVMM_CFLAGS -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
		AC_DEFINE([EVMM_SANITIZERS], [1], [Define when built with ASan and UBSan.])
	])
])

# EVMM_ENABLE_FUZZERS: --enable-fuzzers, with clang, builds the targets of tests/fuzz for libFuzzer, and everything with ASan and UBSan.
AC_DEFUN([EVMM_ENABLE_FUZZERS], [
	AC_ARG_ENABLE([fuzzers],
		[AS_HELP_STRING([--enable-fuzzers], [build tests/fuzz for libFuzzer (CC=clang); implies --enable-sanitizers])],
		[], [enable_fuzzers=no])
	FUZZER_LIBS=
	AS_IF([test "$enable_fuzzers" = yes], [
		AC_MSG_CHECKING([whether $CC has libFuzzer])
		evmm_saved_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -fsanitize=fuzzer-no-link"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM()], [AC_MSG_RESULT([yes])], [
			AC_MSG_RESULT([no])
			AC_MSG_ERROR([--enable-fuzzers needs clang: CC=clang])])
		CFLAGS=$evmm_saved_CFLAGS
		AS_IF([test "$enable_sanitizers" = no], [
			EVMM_CFLAGS="$EVMM_CFLAGS -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
			AC_DEFINE([EVMM_SANITIZERS], [1], [Define when built with ASan and UBSan.])
			enable_sanitizers=yes
		])
		EVMM_CFLAGS="$EVMM_CFLAGS -fsanitize=fuzzer-no-link"
		FUZZER_LIBS=-fsanitize=fuzzer
	])
	AC_SUBST([FUZZER_LIBS])
	AM_CONDITIONAL([FUZZERS], [test "$enable_fuzzers" = yes])
])
