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
