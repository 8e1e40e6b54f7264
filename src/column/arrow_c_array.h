/* Arrays that were built (arrow_build.h) as arrays of Arrow's C data interface, without a copy.
 * Source: Arrow's CDataInterface.rst.
 *
 * An array's memory is charged to the account it was built in until it is handed out; then to books
 * that have no limit and live as long as the last array: what the taker keeps is not ours to
 * bound. */
#ifndef COLUMN_ARROW_C_ARRAY_H
#define COLUMN_ARROW_C_ARRAY_H

#include "column/arrow_build.h"
#include "narrows/arrow.h"

typedef struct arrow_books arrow_books;

nrw_status arrow_books_new(arrow_books **out, nrw_error *err) NRW_CHECKED;
arrow_books *arrow_books_ref(arrow_books *b);
mem *arrow_books_mem(arrow_books *b);
void arrow_books_unref(arrow_books *b); /* NULL is fine; arrays hold references, too */

/* An array that many hold, of ours or not, with all it has. */
typedef struct arrow_c_shared {
    mem *m;
    _Atomic uint32_t refs;
    struct ArrowArray array;
} arrow_c_shared;

/* Takes the array, also on failure. m outlives it, or is of books that it holds. */
nrw_status arrow_c_share(mem *m, struct ArrowArray *array, arrow_c_shared **out,
                         nrw_error *err) NRW_CHECKED;
arrow_c_shared *arrow_c_shared_ref(arrow_c_shared *s);
void arrow_c_shared_unref(arrow_c_shared *s); /* NULL is fine */

/* What b holds, which is empty then. dictionaries: their values, by their numbers in the layout. */
nrw_status arrow_c_export(arrow_builder *b, arrow_c_shared *const *dictionaries,
                          struct ArrowArray *out, nrw_error *err) NRW_CHECKED;
/* n columns of so many rows as a struct. */
nrw_status arrow_c_export_rows(arrow_builder *columns, uint32_t n, uint64_t rows, mem *m,
                               arrow_c_shared *const *dictionaries, struct ArrowArray *out,
                               nrw_error *err) NRW_CHECKED;
/* The array, which is one of ours, leaves the account it was built in. */
void arrow_c_hand_out(struct ArrowArray *a, arrow_books *books);

#endif
