/* Groups of keys with few values, all over dictionaries: each column's values are numbered, and an
 * array has the group of each combination of numbers. So a dictionary costs a look-up for each of
 * its entries, a group one, and a row none. Rows of groups stay where they are until the table
 * goes; then the book is to be reset. */
#ifndef EXEC_GROUP_BOOK_H
#define EXEC_GROUP_BOOK_H

#include "column/vector.h"

typedef struct book_value {
    uint64_t hash;
    uint32_t at, len; /* of its bytes */
} book_value;

/* The null is number 0. */
typedef struct book_column {
    uint64_t dict;     /* id of the dictionary that `numbers` is of; 0: none */
    uint32_t *numbers; /* of its entries */
    uint32_t cap_numbers;
    book_value *values; /* of numbers 1 and up */
    uint32_t n, cap;
    uint32_t *slots; /* numbers; 0: empty; twice `cap` */
    bytes pool;
    uint32_t bits; /* of a place */
} book_column;

typedef struct group_book {
    mem *m;
    uint64_t most; /* bytes of `groups` */
    book_column *columns;
    uint32_t n_columns;
    uint8_t **groups; /* NULL: not looked up yet; 1 << bits of them */
    uint32_t bits;
    uint32_t times; /* that it was reset */
    bool closed;    /* there are too many combinations */
} group_book;

/* All zero but for m and most is a valid one without columns. */
void group_book_free(group_book *b);
/* All groups are unknown; values keep their numbers. */
void group_book_reset(group_book *b);
/* The place of each row's combination in `groups`, which may grow for it (what was there is unknown
 * then); keys: dictionaries. Where there are too many of them the book is closed. */
nrw_status group_book_places(group_book *b, const vector *const *keys, uint32_t n_keys,
                             uint32_t rows, uint32_t *places, nrw_error *err);

#endif
