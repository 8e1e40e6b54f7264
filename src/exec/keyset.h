/* Keys of one or several columns as small codes: rows get equal codes exactly when their keys are
 * not distinct (nulls equal each other, -0 equals 0, NaN equals NaN).
 *
 * Only keys that were inserted have a code; looking up another gives KEY_NONE. Codes count from 0.
 * Per dictionary entry the code is remembered, so a dictionary or run costs one look-up an entry
 * or a run, not one a row. Memory: about 20 bytes + the key's bytes for each key inserted, charged
 * to the account. Not thread-safe. Key bytes: column/compare.h. */
#ifndef EXEC_KEYSET_H
#define EXEC_KEYSET_H

#include "column/batch.h"

#define KEY_NONE UINT32_MAX

typedef struct keyset keyset;

/* A dictionary whose codes would take more than `remember` bytes costs a look-up for each row. */
nrw_status keyset_new(mem *m, const uint32_t *cols, uint32_t n_cols, size_t remember, keyset **out,
                      nrw_error *err);
void keyset_free(keyset *k); /* NULL is fine */
/* Batches from now on have the keys in these columns. */
void keyset_move(keyset *k, const uint32_t *cols);

/* Holds the key columns of the batch and gets ready to look up its rows. */
nrw_status keyset_begin(keyset *k, batch *b, size_t max_bytes, nrw_error *err);

/* The rows from `row` on that have the same key for sure (one, or what is left of a run). */
uint32_t keyset_stretch(keyset *k, uint32_t row);

/* Code of a row; rising rows are found fastest. insert: give it a code if it has none. */
nrw_status keyset_code(keyset *k, uint32_t row, bool insert, uint32_t *code, nrw_error *err);

/* The fast way for one dictionary column: codes[index[row]] is the row's code, of nulls null_code.
 * KEY_UNKNOWN, and KEY_NONE unless `absent`: ask keyset_code. Holds until a key is inserted. False
 * where the batch's keys are not of this form. */
#define KEY_UNKNOWN (UINT32_MAX - 1)
typedef struct key_dict {
    const uint32_t *index;
    const uint8_t *validity; /* NULL: no nulls */
    const uint32_t *codes;
    uint32_t null_code;
    bool absent; /* KEY_NONE is final */
} key_dict;
bool keyset_dict(keyset *k, key_dict *out);

uint32_t keyset_count(const keyset *k);

#endif
