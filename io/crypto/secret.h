/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * -object secret: a password or a key that others name by its id.
 *
 *	-object secret,id=ID,data=TEXT|file=FILE[,format=raw|base64][,keyid=ID,iv=BASE64]
 *
 * With keyid= the text is encrypted with AES-256 in CBC mode, padded as PKCS#7 has it: the key is the secret of that id, 32
 * bytes, and iv= the 16 bytes that the first block is combined with. What is not valid is refused at creation. Loop thread.
 */
#ifndef EVMM_SECRET_H
#define EVMM_SECRET_H

#include "src/object.h"

extern const struct object_type secret_type;

/* Its bytes, *N of them, until the object goes; NULL with ERR when there is none of that id. */
const uint8_t *secret_lookup(const struct object_set *set, const char *id, size_t *n,
			     struct error *err);

#endif
