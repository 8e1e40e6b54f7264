/* List results, row by row. */
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

#endif
