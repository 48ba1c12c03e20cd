# SPDX-License-Identifier: BSD-2-Clause
# The manual page's options are what the program's own table says.
man_MANS = docs/evmm.1
EXTRA_DIST += docs/ARCHITECTURE.md docs/PERFORMANCE.md docs/disks.md docs/evmm.1.in
CLEANFILES += docs/evmm.1

docs/evmm.1: docs/evmm.1.in evmm$(EXEEXT)
	@$(MKDIR_P) docs
	$(AM_V_GEN)./evmm$(EXEEXT) -write-man >$@.options && \
		sed -e 's/@VERSION@/$(VERSION)/' -e '/@OPTIONS@/r $@.options' -e '/@OPTIONS@/d' $(srcdir)/docs/evmm.1.in >$@.tmp && \
		rm $@.options && mv $@.tmp $@
