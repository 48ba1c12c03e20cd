/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SSDT of the generation identifier ("Virtual Machine Generation ID", Microsoft 2012): a device whose ADDR says where
 * the GUID is, and the general purpose event that tells of a new one.
 */
#include "devices/chipset/vmgenid.h"
#include "src/boot/acpi.h"

static void add_event(struct aml *a, unsigned gpe)
{
	static const char hex[] = "0123456789ABCDEF";
	char name[] = {'_', 'E', hex[gpe >> 4 & 15], hex[gpe & 15], 0};
	size_t scope = aml_scope(a, "\\_GPE"), method = aml_method(a, name, 0);

	aml_op(a, AML_OP_NOTIFY);
	aml_name(a, "\\_SB.VGEN");
	aml_int(a, 0x80);
	aml_end(a, method);
	aml_end(a, scope);
}

/* Package {low half, high half} of VGIA + the GUID's place. */
static void add_address(struct aml *a)
{
	size_t method, package;

	aml_name_decl(a, "ADRP");
	package = aml_package(a, 2);
	aml_int(a, 0);
	aml_int(a, 0);
	aml_end(a, package);
	method = aml_method(a, "ADDR", 0);
	aml_op(a, AML_OP_ADD);
	aml_name(a, "VGIA");
	aml_int(a, ACPI_VMGENID_OFFSET);
	aml_op(a, AML_OP_INDEX);
	aml_name(a, "ADRP");
	aml_int(a, 0);
	aml_op(a, AML_OP_NULL);
	aml_op(a, AML_OP_RETURN);
	aml_name(a, "ADRP");
	aml_end(a, method);
}

void acpi_add_vmgenid(struct acpi_set *set)
{
	size_t at = acpi_begin(set, "SSDT", 1), scope, dev;
	struct aml *a = acpi_out(set), *page = &set->files[ACPI_VMGENID];

	/* A DWORD whose value is an address: aml_int would make it as short as it can. */
	aml_name_int(a, "VGIA", UINT32_MAX);
	acpi_point(set, a->n - 4, 4, ACPI_VMGENID, 0);
	scope = aml_scope(a, "\\_SB");
	dev = aml_device(a, "VGEN");
	aml_name_string(a, "_HID", "QEMUVGID");
	aml_name_string(a, "_CID", "VM_Gen_Counter");
	aml_name_string(a, "_DDN", "VM_Gen_Counter");
	aml_name_int(a, "_STA", 0x0f);
	add_address(a);
	aml_end(a, dev);
	aml_end(a, scope);
	add_event(a, set->board->vmgenid_gpe);
	acpi_end(set, at, true);

	while (page->n < ACPI_VMGENID_OFFSET)
		aml_u8(page, 0);
	aml_raw(page, vmgenid_guid(set->board->vmgenid), 16);
	while (page->n < ACPI_VMGENID_BYTES)
		aml_u8(page, 0);
}
