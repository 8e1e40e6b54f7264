/* What reading arrays of single values and of nested ones share. */
#ifndef COLUMN_ARROW_ARRAYS_OWN_H
#define COLUMN_ARROW_ARRAYS_OWN_H

#include "column/arrow_arrays.h"

/* Rows [first, first + n) of an array, as its buffers count them. */
typedef struct rows {
    arrow_arrays *s;
    const arrow_layout *l;
    uint32_t buffer; /* its first one */
    uint64_t first;
    uint32_t n;
    int64_t nulls; /* as the node says */
    mem *m;
} rows;

static inline nrw_status arrow_damaged(nrw_error *err, const char *what)
{
    return err_set(err, NRW_E_CORRUPT, "the Arrow array is damaged: %s", what);
}

/* Bytes [at, at + n) of the rows' buffer k; NRW_E_CORRUPT where it is shorter. */
nrw_status arrow_take(const rows *r, uint32_t k, uint64_t at, void *dst, size_t n, nrw_error *err);
/* Bits [first, first + n) of buffer k to dst, from its bit 0 on; *zeros: how many are 0. */
nrw_status arrow_take_bits(const rows *r, uint32_t k, uint8_t *dst, uint32_t *zeros,
                           nrw_error *err);
/* The validity of out, for which there is room; where it has no nulls, out gets none. */
nrw_status arrow_take_validity(const rows *r, vector *out, nrw_error *err);
/* n numbers of buffer k from the i-th on, of offset_bytes each, as 64 bits: not negative. They are
 * the caller's to free: n * 8 bytes of r->m. */
nrw_status arrow_take_numbers(const rows *r, uint32_t k, uint64_t i, size_t n, uint64_t **out,
                              nrw_error *err);

/* out is released by the caller where they fail. */
nrw_status arrow_read_list(const rows *r, vector *out, nrw_error *err);
nrw_status arrow_read_list_view(const rows *r, vector *out, nrw_error *err);
nrw_status arrow_read_fixed_list(const rows *r, vector *out, nrw_error *err);
nrw_status arrow_read_struct(const rows *r, vector *out, nrw_error *err);
nrw_status arrow_read_runs(const rows *r, vector *out, nrw_error *err);
nrw_status arrow_read_indices(const rows *r, vector *out, nrw_error *err);
/* In arrow_views.c. */
nrw_status arrow_read_bytes(const rows *r, vector *out, nrw_error *err);
nrw_status arrow_read_views(const rows *r, vector *out, nrw_error *err);
/* In arrow_change.c: n values as they lie, to values of out, which has room; nulls are not looked
 * at. */
nrw_status arrow_change_values(const rows *r, const uint8_t *from, vector *out, nrw_error *err);

#endif
