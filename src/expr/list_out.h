/* List results, row by row, and what functions of lists share. */
#ifndef EXPR_LIST_OUT_H
#define EXPR_LIST_OUT_H

#include "expr/function.h"

/* Lists of text: elements are added, then the row is closed. */
typedef struct list_out {
    vector *out;
    vector elements;
    text_out text;
    uint32_t room;
    mem *m;
} list_out;

nrw_status list_begin(list_out *l, vector *out, mem *m, nrw_error *err) NRW_CHECKED;
nrw_status list_text(list_out *l, span s, nrw_error *err) NRW_CHECKED;
void list_end_row(list_out *l, uint32_t i);
/* Gives the elements to out, or drops them where st is a failure; returns st. */
nrw_status list_finish(list_out *l, nrw_status st);

/* LIST of t, its element named as Parquet's are. */
nrw_status type_list(arena *a, const type *t, type *out, nrw_error *err) NRW_CHECKED;

/* The type that all arguments have in common; TYPE_NULL of none. */
nrw_status bind_common(binding *b, type *out, nrw_error *err) NRW_CHECKED;
/* Where the element (or key) equal to row `row` of x is in list `list`, counted from 1; 0: nowhere.
 */
uint32_t list_find(const vector *lists, uint32_t list, const vector *x, uint32_t row);
/* Row numbers, one behind the other. */
nrw_status add_index(bytes *b, uint32_t k, nrw_error *err) NRW_CHECKED;
/* Rows idx of `from` in place of out. */
nrw_status pick_into(const vector *from, uint32_t *idx, const scalar_args *args, vector *out,
                     nrw_error *err) NRW_CHECKED;

#endif
