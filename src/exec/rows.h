/* Rows side by side in memory: what groups, sorts and joins keep. A row is one block of bytes that
 * refers to nothing outside of itself, so blocks of rows go to a spill file and come back as they
 * are.
 *
 *   uint32 bytes of the row, a multiple of 8; uint32 free for the owner
 *   uint64 hash, of whatever the owner hashes
 *   `extra` bytes of the owner's, 8-aligned: states of aggregates, a link
 *   a bit for each column, 1: there; padded to 8
 *   fixed columns: their value, zero where null; others: uint32 offset from the bits, uint32
 *   length
 *   the bytes of the others, in order of the columns
 *
 * From the bits on, a row is a function of its values: equal rows are equal bytes, also where they
 * have unlike `extra`. Nested values are kept as binary ones (column/nested_bytes.h). */
#ifndef EXEC_ROWS_H
#define EXEC_ROWS_H

#include "column/vector.h"

#define ROW_HEAD 16

typedef struct row_layout {
    uint32_t n;
    const type *types;  /* as they are kept */
    const type *nested; /* as they come, where one is nested; else NULL */
    uint32_t *at;       /* of each column, from the row's start */
    uint32_t extra;
    uint32_t bits;  /* where the bits begin: ROW_HEAD + extra */
    uint32_t fixed; /* bytes of a row without text */
    bool has_text;
    bool hash_tells;        /* the owner hashes the first column by a bijection (hash_rows.h) */
    const uint32_t *hashed; /* n_hashed columns that the owner hashes, one after the other, none of
                               them a text: a spill file need not have the hash. 0: it has it */
    uint32_t n_hashed;
    const struct sort_key_parts *key; /* the first column is a key of these parts (sort_key.h): a
                                         spill file need not have what they tell; else NULL */
} row_layout;

/* types stay. */
nrw_status row_layout_new(arena *a, const type *types, uint32_t n, uint32_t extra, row_layout *out,
                          nrw_error *err);

static inline uint32_t row_bytes(const uint8_t *row)
{
    return load_u32(row);
}
static inline uint64_t row_hash(const uint8_t *row)
{
    return load_u64(row + 8);
}
static inline uint8_t *row_extra(uint8_t *row)
{
    return row + ROW_HEAD;
}
static inline bool row_has(const row_layout *l, const uint8_t *row, uint32_t c)
{
    return bit_get(row + l->bits, c);
}
/* The part from the bits on. */
static inline span row_values(const row_layout *l, const uint8_t *row)
{
    return (span){row + l->bits, row_bytes(row) - l->bits};
}
/* Column c of a row that has it. */
span row_value(const row_layout *l, const uint8_t *row, uint32_t c);

/* Blocks of rows, grown at the end. All zero but for m is a valid empty one. */
typedef struct rows_block {
    uint8_t *data;
    uint32_t len, cap;
} rows_block;
typedef struct rows {
    mem *m;
    rows_block *blocks;
    uint32_t n_blocks, cap_blocks;
    uint32_t spare; /* blocks behind n_blocks that are empty */
    uint64_t n, bytes;
} rows;

#define ROWS_BLOCK (64u << 10) /* or BLOCK_LARGE, where there are many rows and much room */

/* Room for a row of so many bytes; its first word is set, the rest is not. */
nrw_status rows_new(rows *r, uint32_t bytes, uint8_t **out, nrw_error *err);
/* Rows [0, n) of cols, any form, at out[0..n); extra is zeroed, hashes are copied (NULL: zero).
 * What is needed only meanwhile is charged to m. */
nrw_status rows_add(rows *r, const row_layout *l, const vector *const *cols, uint32_t n,
                    const uint64_t *hashes, mem *m, uint8_t **out, nrw_error *err);
/* Columns of a layout without text into rows [0, n) that are there, where its bits are not set:
 * rows_column gives them back. */
nrw_status rows_put(const row_layout *l, const vector *const *cols, uint32_t n, mem *m,
                    uint8_t **rows, nrw_error *err);
/* A column as rows have it: flat, nested values as binary ones. */
nrw_status row_kept(const vector *v, mem *m, vector *out, nrw_error *err);
/* rows[0..n), which may be NULL, become NULL where they do not have the values of `cols`. */
nrw_status rows_match(const row_layout *l, const vector *const *cols, uint32_t n, mem *m,
                      uint8_t **rows, nrw_error *err);
/* What all rows of a column take beside the fixed part: of texts, and of nested values at most. */
uint64_t rows_text(const vector *v);
/* How many rows of `cols`, at most `most`, take no more than `bytes`, about; at least one. The
 * layout's columns are those, perhaps with some of its own before or behind them. */
uint32_t rows_that_fit(const row_layout *l, const vector *cols, uint32_t n, uint64_t bytes,
                       uint32_t most);
/* The same or fewer, which is told without a look at each row where texts are in dictionaries. */
uint32_t rows_that_surely_fit(const row_layout *l, const vector *cols, uint32_t n, uint64_t bytes,
                              uint32_t most);
void rows_clear(rows *r);   /* keeps the blocks */
void rows_release(rows *r); /* gives all back */
/* Gives block i back; its rows are still counted. */
void rows_drop_block(rows *r, uint32_t i);
/* What so many bytes of rows take in the books, about; what some take more, and one row. */
uint64_t rows_cost(uint64_t bytes);
uint64_t rows_more_cost(const rows *r, uint64_t bytes);
uint64_t rows_next_cost(const rows *r, uint32_t bytes);

/* So many bytes of rows may become columns where others would be `bytes`: nested values are there
 * twice for a while, and larger than they are kept. */
static inline uint64_t rows_bytes_at_once(const row_layout *l, uint64_t bytes)
{
    return l->nested ? bytes / 4 : bytes;
}

/* Column c of row[0..n) as a flat vector. */
nrw_status rows_column(const row_layout *l, const uint8_t *const *row, uint32_t n, uint32_t c,
                       mem *m, vector *out, nrw_error *err);

#endif
