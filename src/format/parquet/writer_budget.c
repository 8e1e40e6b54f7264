#include "format/parquet/writer_budget.h"

#include "format/parquet/bloom_write.h"
#include "format/parquet/column_write_value.h"
#include "format/parquet/page_compress.h"
#include "format/parquet/size_stats.h"
#include "format/parquet/writer_own.h"

enum {
    PARKED = 832,            /* what a parked actor keeps */
    FIXED = 160 * 1024,      /* the writer, logs of the file, footer pieces, a window */
    WORKER_FIXED = 8 * 1024, /* lists of pending pages, their records */
    PIECE_LEAST = 64 * 1024,
    PIECE_MOST = 256 * 1024,
    PEND_LEAST = 256 * 1024,
    PEND_MOST = 2048 * 1024,
    TAIL_LEAST = 256,
    TAIL_MOST = 32 * 1024,
    FILE_TAIL = 16 * 1024,
    PARKED_MOST = 3 /* times the values */
};

static uint64_t clamp(uint64_t v, uint64_t lo, uint64_t hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* Everything a plan needs to know of schema and options. */
typedef struct costs {
    uint64_t n, workers;     /* n: leaves */
    uint64_t columns, names; /* names: bytes of what is kept of nested leaves */
    uint64_t shred;          /* of a worker, where a column is nested */
    uint64_t blooms, bloom;  /* leaves that get a bloom filter, and bytes of the largest */
    uint64_t most, most_sum; /* of one actor; of all */
    uint64_t column;         /* bookkeeping of one, tails of logs apart */
    uint64_t bench, big;
    size_t usual, big_body, piece;
    uint64_t tail; /* the least tail that is worth it with so many columns */
} costs;

/* A fixed-width page with its levels, or a text page with a value over its bound. */
static size_t usual_body(const pq_write_options *o)
{
    return (size_t)o->page_bytes + o->page_bytes / 8 + 4096;
}

/* Adds a leaf. */
typedef struct cost_walk {
    costs *costs;
    const pq_write_options *opts;
} cost_walk;

static nrw_status cost_leaf(void *self, const pq_wleaf *leaf, nrw_error *err)
{
    const cost_walk *w = self;
    costs *c = w->costs;
    const pq_column_options *column = &w->opts->columns[c->n++];
    uint64_t most = pq_column_most(leaf, w->opts, column), shred = pq_shred_most(leaf);
    int32_t codec = column->codec;
    pq_value_type t;
    TRY(pq_value_type_of(leaf->field, &t, err)); /* whether it can be written at all */
    if (codec != CODEC_NONE && !codec_by_id(codec))
        return err_set(err, NRW_E_UNSUPPORTED, "no %s compression", codec_id_name(codec));
    c->most_sum += most;
    c->most = most > c->most ? most : c->most;
    c->shred = leaf->n_path && shred > c->shred ? shred : c->shred;
    if (leaf->n_path) /* counts of levels in both row groups, too */
        c->names += pq_leaf_names(leaf) + PQ_GROUPS * (8 * (uint64_t)pq_level_counts(leaf) + 16);
    if (column->bloom > 0) {
        uint64_t bytes = pq_bloom_bytes((uint64_t)w->opts->row_group_rows, column->bloom);
        c->bloom = bytes > c->bloom ? bytes : c->bloom;
        c->blooms++;
    }
    return NRW_OK;
}

static nrw_status costs_of(const schema *s, const pq_write_options *o, uint32_t workers, costs *out,
                           nrw_error *err)
{
    costs c = {.columns = s->n_fields, .workers = workers ? workers : 1};
    TRY(pq_leaves_walk(s, cost_leaf, &(cost_walk){&c, o}, err));
    /* statistics of two open row groups, slots, and lists of parts */
    uint64_t kept =
        4 * (uint64_t)(o->statistics_truncate + 32) + 4 * sizeof(pq_slot) + 12 * sizeof(pq_part);
    c.column = sizeof(pq_wleaf) + sizeof(pq_wactor) + PQ_GROUPS * sizeof(pq_wchunk) + PARKED + kept;
    c.usual = usual_body(o);
    c.piece = size_max(o->page_bytes, PIECE_LEAST);
    c.bench = pq_bench_most(o->columns, (uint32_t)c.n, c.usual);
    c.big_body = size_max(o->dictionary_bytes + c.usual - o->page_bytes, c.usual);
    c.big = c.big_body > c.usual ? pq_bench_most(o->columns, (uint32_t)c.n, c.big_body) : 0;
    c.tail = clamp((512 * 1024) / c.n, TAIL_LEAST, TAIL_MOST / 2);
    *out = c;
    return NRW_OK;
}

/* For bloom filters: hashes of the pages of a piece, 8 bytes for values of 4 and more, and what
 * makes the filter of one chunk. */
static uint64_t for_blooms(const costs *c, uint64_t tail, uint64_t piece, uint64_t window)
{
    if (!c->blooms)
        return 0;
    return c->blooms * 2 * tail + c->workers * 2 * piece + window + PQ_BLOOM_PIECE + PQ_BLOOM_FIXED;
}

static uint64_t least_window(const costs *c)
{
    return c->bloom < PQ_BLOOM_WINDOW ? c->bloom : PQ_BLOOM_WINDOW;
}

/* All but the pool. */
static uint64_t set_aside(const costs *c, uint64_t tail, uint64_t pend, uint64_t piece,
                          uint64_t window)
{
    uint64_t worker = WORKER_FIXED + c->bench + pend + piece + 2 * c->usual + c->shred;
    return FIXED + c->columns * (sizeof(pq_wcolumn) + sizeof(uint32_t)) + c->names +
           c->n * (c->column + 2 * tail) + c->workers * worker + c->big +
           for_blooms(c, tail, piece, window);
}

static uint64_t least(const costs *c)
{
    return set_aside(c, c->tail, 0, c->piece, least_window(c)) + c->most;
}

static nrw_status check(const schema *s, const pq_write_options *o, nrw_error *err)
{
    if (!s->n_fields)
        return err_set(err, NRW_E_SCHEMA, "a Parquet file needs at least one column");
    if (s->n_fields > INT32_MAX / 2)
        return err_set(err, NRW_E_SCHEMA, "%u columns, more than a file can have", s->n_fields);
    if (o->row_group_rows < 1 || !o->row_group_bytes || !o->page_bytes || !o->page_rows ||
        !o->columns)
        return err_set(err, NRW_E_ARG, "sizes of row groups and pages must be above zero");
    return NRW_OK;
}

nrw_status parquet_write_budget(const schema *s, const pq_write_options *opts, uint32_t workers,
                                budget *out, nrw_error *err)
{
    *out = (budget){0};
    TRY(check(s, opts, err));
    costs c;
    TRY(costs_of(s, opts, workers, &c, err));
    out->least = least(&c);
    out->wish = set_aside(&c, TAIL_MOST, PEND_MOST, PIECE_MOST, c.bloom) + c.most_sum + c.most +
                opts->row_group_bytes;
    if (out->wish < out->least)
        out->wish = out->least;
    /* two row groups, uncompressible, and all actors parked: dictionaries count as encoded bytes */
    uint64_t group = opts->row_group_bytes + opts->row_group_bytes / 8;
    uint64_t page = opts->page_bytes + 5 * (uint64_t)opts->page_rows + PIECE_LEAST;
    uint64_t parked = group + c.n * page;
    out->spill = 2 * group + (parked < c.most_sum ? parked : c.most_sum);
    uint64_t hashes = 8 * (uint64_t)opts->row_group_rows; /* of values of 4 bytes and more */
    out->spill += 2 * c.blooms * (hashes < 2 * group ? hashes : 2 * group);
    return NRW_OK;
}

void parquet_wish_for(const schema *s, const pq_write_options *opts, uint64_t rows, uint64_t stored,
                      budget *b)
{
    const uint64_t column = 256 << 10; /* of one at work, as a rule */
    uint64_t group = stored, columns = s->n_fields * column, wish;

    if (stored == UINT64_MAX)
        return;
    if (rows != UINT64_MAX && rows > (uint64_t)opts->row_group_rows)
        group = (uint64_t)((double)stored / (double)rows * (double)opts->row_group_rows);
    group = group < opts->row_group_bytes ? group : opts->row_group_bytes;
    columns = columns < 2 * stored ? columns : 2 * stored;
    /* of the least, a half is there for what hardly ever comes together */
    wish = b->least / 2 + columns + group;
    wish = wish > b->least ? wish : b->least;
    b->wish = wish < b->wish ? wish : b->wish;
}

/* Bytes of bodies that may wait to be compressed, for each worker, where so much is left over. */
static uint64_t pend_of(const costs *c, uint64_t extra)
{
    uint64_t pend = extra / 8 / c->workers;

    return c->workers < 2 || pend < PEND_LEAST ? 0 : clamp(pend, PEND_LEAST, PEND_MOST);
}

nrw_status pq_shares_plan(const schema *s, const pq_write_options *opts, uint32_t workers,
                          uint64_t limit, pq_shares *out, nrw_error *err)
{
    *out = (pq_shares){0};
    TRY(check(s, opts, err));
    costs c;
    TRY(costs_of(s, opts, workers, &c, err));
    uint64_t need = least(&c);
    if (limit < need) {
        err_next(err, "give --memory more, or write fewer columns at once");
        return err_set(err, NRW_E_MEMLIMIT,
                       "writing %u columns takes at least %llu bytes, %llu are left", s->n_fields,
                       (unsigned long long)need, (unsigned long long)limit);
    }
    uint64_t extra = limit - need;
    uint64_t tail = clamp(extra / 16 / c.n, c.tail, TAIL_MOST);
    uint64_t pend = pend_of(&c, extra);
    uint64_t piece = pend ? size_max(c.piece, PIECE_MOST) : c.piece;
    uint64_t window = clamp(extra / 8 & ~(uint64_t)(PQ_BLOOM_LEAST - 1), least_window(&c), c.bloom);
    uint64_t pool = limit - set_aside(&c, tail, pend, piece, window);
    pool -= (pool - c.most) / 16; /* lists of the pages held */
    *out = (pq_shares){
        .pool = pool,
        .reserve = c.most / 2, /* few columns come near their most */
        .queue_max = pend * c.workers,
        .piece_bytes = (size_t)piece,
        .usual_body = c.usual,
        .big_body = c.big_body,
        .bloom_window = (size_t)window,
        .tail_max = (uint32_t)tail,
        .file_tail = FILE_TAIL,
    };
    return NRW_OK;
}

static uint64_t bytes_of(double bytes)
{
    return bytes < (double)(UINT64_MAX / 2) ? (uint64_t)bytes : UINT64_MAX;
}

/* Values of all pages at most, with headers and bounds. */
static double encoded(const pq_flow *f)
{
    return (double)f->values * 9 / 8;
}

/* Pages, and hashes for bloom filters. */
static double spilled_once(const costs *c, const pq_flow *f)
{
    return encoded(f) + (double)f->rows * 16 * (double)c->blooms + (double)c->n * PEND_LEAST;
}

/* What all columns of a writer come to at most: dictionaries have no more entries than there are
 * values. */
static double most_state(const schema *s, const pq_write_options *opts, const pq_flow *f,
                         const costs *c)
{
    double sum = 0;

    if (c->n != s->n_fields || !f->distinct) /* some are nested */
        return (double)c->most_sum;
    for (uint32_t i = 0; i < s->n_fields; i++) {
        const pq_wleaf leaf = pq_flat_leaf(&s->fields[i]);
        pq_write_options o = *opts;
        if (f->distinct[i] < UINT32_MAX && (!o.rows_most || o.rows_most > f->distinct[i]))
            o.rows_most = f->distinct[i] ? f->distinct[i] : 1;
        sum += (double)pq_column_most(&leaf, &o, &opts->columns[i]);
    }
    return sum;
}

/* With each batch every column comes back, and those are parked again that have no room: the same
 * ones stay. They never have more than all values so far. Their dictionaries are hardly ever as
 * large as they may be: where it comes to many times the values, it never did (PARKED_MOST). */
static double parked(const costs *c, const pq_flow *f, uint64_t pool, double state)
{
    double values = encoded(f) / 2;

    if (state <= (double)pool)
        return 0;
    state -= (double)pool - (double)c->most;
    state = (state < values ? state : values) * (double)f->batches;
    return state < encoded(f) * PARKED_MOST ? state : encoded(f) * PARKED_MOST;
}

nrw_status parquet_write_spill(const schema *s, const pq_write_options *opts, uint32_t workers,
                               uint64_t memory, const pq_flow *f, uint64_t *out, nrw_error *err)
{
    pq_shares shares;
    costs c;
    TRY(pq_shares_plan(s, opts, workers, memory, &shares, err));
    TRY(costs_of(s, opts, workers, &c, err));
    *out = bytes_of(spilled_once(&c, f) + parked(&c, f, shares.pool, most_state(s, opts, f, &c)));
    return NRW_OK;
}

/* ---- a room of many writers ---- */

enum {
    ROOM_TAIL = 1024, /* of a log: pages of more than half of it are spilled one by one */
    ROOM_FILE_TAIL = 2048
};

/* What an open writer keeps whatever is parked. */
static uint64_t open_cost(const costs *c)
{
    return sizeof(pq_writer) + 2048 + 4 * ROOM_FILE_TAIL +
           c->columns * (sizeof(pq_wcolumn) + sizeof(uint32_t)) + c->names +
           c->n * (c->column + 4 * ROOM_TAIL);
}

/* What its pages in progress and small dictionaries take as a rule; where it is more, some are
 * parked. */
static uint64_t begun_cost(const costs *c)
{
    return c->n * (c->usual / 4 * 3);
}

static uint64_t room_fixed(const costs *c)
{
    uint64_t footer = 64 * 1024;
    uint64_t worker = WORKER_FIXED + c->bench + c->piece + 2 * c->usual + c->shred + footer;
    return c->workers * worker + c->big + for_blooms(c, ROOM_TAIL, c->piece, least_window(c));
}

static uint64_t room_least(const costs *c)
{
    return room_fixed(c) + 2 * open_cost(c) + c->most;
}

nrw_status parquet_room_budget(const schema *s, const pq_write_options *opts, uint32_t workers,
                               uint32_t writers, uint64_t pages, budget *out, nrw_error *err)
{
    costs c;
    TRY(parquet_write_budget(s, opts, workers, out, err));
    TRY(costs_of(s, opts, workers, &c, err));
    out->least = room_least(&c);
    out->wish = out->least + writers * (open_cost(&c) + begun_cost(&c));
    out->wish += pages < opts->row_group_bytes ? pages : opts->row_group_bytes;
    out->spill = UINT64_MAX;
    return NRW_OK;
}

/* The writers of a room, and what the columns of each come to at most. */
typedef struct room_writers {
    pq_room_shares shares;
    costs c;
    double state;
} room_writers;

static nrw_status writers_of(const schema *s, const pq_write_options *opts, uint32_t workers,
                             uint64_t memory, uint32_t most, const pq_flow *f, room_writers *out,
                             nrw_error *err)
{
    TRY(pq_room_shares_plan(s, opts, workers, memory, most, &out->shares, err));
    TRY(costs_of(s, opts, workers, &out->c, err));
    out->state = most_state(s, opts, f, &out->c);
    return NRW_OK;
}

nrw_status parquet_room_spill(const schema *s, const pq_write_options *opts, uint32_t workers,
                              uint64_t memory, uint32_t most, const pq_flow *f, uint64_t *out,
                              nrw_error *err)
{
    room_writers w;
    TRY(writers_of(s, opts, workers, memory, most, f, &w, err));
    *out = bytes_of(parked(&w.c, f, w.shares.each.pool, w.shares.writers * w.state));
    return NRW_OK;
}

nrw_status parquet_room_rest_spill(const schema *s, const pq_write_options *opts, uint32_t workers,
                                   uint64_t memory, uint32_t most, const pq_flow *f, uint64_t *out,
                                   nrw_error *err)
{
    room_writers w;
    double bytes;
    TRY(writers_of(s, opts, workers, memory, most, f, &w, err));
    bytes = spilled_once(&w.c, f) + parked(&w.c, f, w.shares.each.pool, w.state);
    if (w.shares.writers * w.state > (double)w.shares.each.pool)
        bytes += encoded(f) * (w.c.workers + 2); /* where one ends and the next begins */
    *out = bytes_of(bytes);
    return NRW_OK;
}

nrw_status pq_room_shares_plan(const schema *s, const pq_write_options *opts, uint32_t workers,
                               uint64_t limit, uint32_t most, pq_room_shares *out, nrw_error *err)
{
    *out = (pq_room_shares){0};
    TRY(check(s, opts, err));
    costs c;
    TRY(costs_of(s, opts, workers, &c, err));
    uint64_t need = room_least(&c), each = open_cost(&c) + begun_cost(&c);
    if (limit < need) {
        err_next(err, "give --memory more, or write fewer columns at once");
        return err_set(err, NRW_E_MEMLIMIT,
                       "writing %u columns takes at least %llu bytes, %llu are left", s->n_fields,
                       (unsigned long long)need, (unsigned long long)limit);
    }
    uint64_t rest = limit - room_fixed(&c) - c.most;
    uint64_t writers = clamp(rest / each, 2, most > 2 ? most : 2);
    rest -= writers * open_cost(&c);
    uint64_t pend = pend_of(&c, rest); /* of those at work; nothing waits in the others */
    rest -= c.workers * pend;
    uint64_t begun = writers * (begun_cost(&c) + begun_cost(&c) / 4);
    uint64_t held = rest > begun ? rest - begun : 0;
    *out = (pq_room_shares){
        .writers = (uint32_t)writers,
        .held = held - held / 16, /* lists of the pages held */
        .each = {.pool = c.most + rest - held,
                 .queue_max = pend,
                 .piece_bytes = c.piece,
                 .usual_body = c.usual,
                 .big_body = c.big_body,
                 .bloom_window = least_window(&c),
                 .tail_max = ROOM_TAIL,
                 .file_tail = ROOM_FILE_TAIL},
    };
    return NRW_OK;
}
