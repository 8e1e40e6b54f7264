/* Conditions on rows: SQL text, bound to a schema, tested on batches.
 *
 * The language is the part of DuckDB's SQL that compares columns with literals: = <> < <= > >=,
 * AND OR NOT, IN, BETWEEN, LIKE, IS NULL, IS DISTINCT FROM, and columns of one type with each
 * other. Literals take the column's type exactly: what lies between two of its values is compared
 * as what it is, nothing is rounded. A comparison with null is neither true nor false, as SQL has
 * it; NaN is greater than all numbers and equals itself.
 *
 * Binding pushes NOT down into the tests (which is exact in three-valued logic), so that only "is
 * true" has to be computed. */
#ifndef EXPR_EXPR_H
#define EXPR_EXPR_H

#include "column/batch.h"
#include "column/row_filter.h"

typedef struct predicate predicate;

/* All of texts[0..n) joined by AND. `source` names the input in messages. NRW_E_ARG with the place
 * in the text: "--where, character 7: ...". The predicate lives in `a`; the schema is not kept. */
nrw_status predicate_parse(arena *a, const char *const *texts, uint32_t n, const schema *s,
                           const char *source, predicate **out, nrw_error *err) NRW_CHECKED;

/* Whether the text is of this language, whatever it names. */
nrw_status predicate_reads(arena *a, const char *text, bool *reads, nrw_error *err) NRW_CHECKED;

/* Of the same condition those parts alone, joined by AND in it, that look at no columns but those
 * of s, named in any case: rows that these rule out, it rules out. *out is NULL where there is
 * none. */
nrw_status predicate_parse_some(arena *a, const char *const *texts, uint32_t n, const schema *s,
                                const char *source, predicate **out, nrw_error *err) NRW_CHECKED;

/* The columns it looks at, as places in the schema, each once, in the order of their first test. */
uint32_t predicate_columns(const predicate *p, const uint32_t **columns);
/* True or not whatever the rows are. */
bool predicate_is_always(const predicate *p);
/* For sources that can skip rows; lives as long as the predicate. */
const row_filter *predicate_filter(const predicate *p);
/* As it was understood, for plans: "id >= 5 and note like 'a%'" cut to cap; the texts joined. */
const char *predicate_text(const predicate *p);

/* Tables of dictionaries that were tested, shared by all threads: a dictionary is tested once. They
 * take at most `room` bytes of m; where that is not enough, entries are tested batch by batch. */
typedef struct predicate_cache predicate_cache;
nrw_status predicate_cache_new(mem *m, const predicate *p, size_t room, predicate_cache **out,
                               nrw_error *err) NRW_CHECKED;
void predicate_cache_free(predicate_cache *c); /* NULL is fine */

/* Bytes that testing a batch takes of the batch's account, beside the columns held. */
size_t predicate_scratch(const predicate *p);

/* Bit i of bits[] = row i of the batch passes; bits of BATCH_MAX_ROWS and 64 bytes of slack. Holds
 * the columns it has to look at (places[k] is where predicate_columns()[k] lies in the batch), the
 * first of which may cut the batch short at max_bytes, as batch_hold does. */
nrw_status predicate_test(const predicate *p, predicate_cache *c, batch *b, const uint32_t *places,
                          size_t max_bytes, uint8_t *bits, nrw_error *err) NRW_CHECKED;

#endif
