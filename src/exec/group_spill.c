/* Tables and the spill file. A block holds whole rows: the row, then of each aggregate whose state
 * does not stand for itself its saved bytes with their length before them, padded to 8. */
#include "exec/group_own.h"
#include "exec/rows_spill.h"

void group_part_free(op_group *o, group_part *part)
{
    spill_chain_free(&part->blocks, o->spill);
    *part = (group_part){0};
}

size_t group_block_bytes(const op_group *o, uint32_t n)
{
    uint64_t bytes = group_share(o) / 2 / n;

    return bytes < GROUP_BLOCK ? (size_t)bytes : GROUP_BLOCK;
}

/* Rows alone may be packed. */
static nrw_status write_rows(op_group *o, const bytes *rows, spill_block *b, nrw_error *err)
{
    const span plain = {rows->data, rows->len};
    bytes scratch = bytes_init(rows->m, UINT32_MAX);
    nrw_status st;

    if (o->shape.saves)
        return spill_write(o->spill, plain, true, b, err);
    st = rows_spill(&o->shape.layout, plain, false, o->spill, &scratch, b, err);
    bytes_release(&scratch);
    return st;
}

nrw_status group_next_row(const group_shape *s, span block, size_t *at, uint8_t **row, span *saved,
                          nrw_error *err)
{
    size_t left = block.len - *at, n;

    if (left < ROW_HEAD || row_bytes(block.data + *at) > left)
        return err_set(err, NRW_E_IO, "a block of the spill file does not hold what was written");
    *row = (uint8_t *)(uintptr_t)block.data + *at;
    *at += row_bytes(*row);
    for (uint32_t i = 0; i < s->n_aggregates; i++) {
        if (!s->aggregates[i].class->save)
            continue;
        n = (size_t)load_u64(block.data + *at);
        saved[i] = (span){block.data + *at + 8, n};
        *at += 8 + (n + 7) / 8 * 8;
    }
    return NRW_OK;
}

/* What is to be known of a block that is a part's. */
typedef struct block_facts {
    uint64_t bytes, rows;
    uint64_t hash; /* of the first row */
    bool differ;   /* others have another one */
} block_facts;

static nrw_status look_at(const op_group *o, span block, block_facts *f, nrw_error *err)
{
    span saved[o->shape.n_aggregates + 1];
    uint8_t *row;

    *f = (block_facts){.bytes = block.len, .hash = row_hash(block.data)};
    for (size_t at = 0; at < block.len; f->rows++) {
        TRY(group_next_row(&o->shape, block, &at, &row, saved, err));
        f->differ |= row_hash(row) != f->hash;
    }
    return NRW_OK;
}

/* A block becomes the part's; also on failure. */
static nrw_status add_block(op_group *o, group_part *part, const spill_block *b,
                            const block_facts *f, nrw_error *err)
{
    nrw_status st;

    pthread_mutex_lock(&o->lock);
    st = spill_chain_add(&part->blocks, o->spill, b, err);
    if (st >= 0) {
        part->differ |= f->differ || (part->bytes && part->hash != f->hash);
        part->hash = f->hash;
        part->bytes += f->bytes;
        part->rows += f->rows;
    }
    pthread_mutex_unlock(&o->lock);
    if (st < 0)
        spill_free(o->spill, b);
    return st;
}

nrw_status group_write_block(op_group *o, bytes *out, group_part *part, nrw_error *err)
{
    spill_block b;
    block_facts f;
    nrw_status st;

    if (out->len == 0)
        return NRW_OK;
    TRY(op_check(&o->base, err));
    TRY(look_at(o, (span){out->data, out->len}, &f, err));
    TRY(write_rows(o, out, &b, err));
    st = add_block(o, part, &b, &f, err);
    out->len = 0;
    return st;
}

nrw_status group_block_room(op_group *o, bytes *out, group_part *part, uint64_t more, size_t block,
                            nrw_error *err)
{
    if (out->len + more > block)
        TRY(group_write_block(o, out, part, err));
    if (out->len == 0 && out->cap > block) /* of a row longer than blocks are */
        bytes_release(out);
    return out->cap < block ? bytes_reserve(out, block - out->len, err) : NRW_OK;
}

/* One state, or a part of it. What is saved is gone. */
static nrw_status save_state(const aggregate *g, uint8_t *state, size_t most, mem *hang, bytes *out,
                             bool *more, nrw_error *err)
{
    const uint8_t zeros[8] = {0};
    size_t at = out->len;
    bool left;

    TRY(bytes_append(out, zeros, 8, err));
    TRY(g->class->save(g, state, most, out, &left, err));
    store_u64(out->data + at, out->len - at - 8);
    TRY(bytes_append(out, zeros, (8 - out->len % 8) % 8, err));
    *more |= left;
    if (!left) {
        g->class->drop(g, state, hang);
        memset(state, 0, g->state_bytes);
    }
    return NRW_OK;
}

/* As much as a block has room for. The word of a row that is free for its owner says whether there
 * is more of it. */
static nrw_status save_piece(op_group *o, uint8_t *row, bytes *out, size_t block, bool *more,
                             nrw_error *err)
{
    const group_shape *s = &o->shape;
    const size_t from = out->len;

    *more = false;
    TRY(bytes_append(out, row, row_bytes(row), err));
    for (uint32_t i = 0; s->saves && i < s->n_aggregates; i++) {
        const aggregate *g = &s->aggregates[i];
        uint8_t *state = row + s->states[i];
        size_t most = out->len < block ? block - out->len : 0;
        if (g->class->save)
            TRY(save_state(g, state, most > block / 8 ? most : block / 8, o->m, out, more, err));
        else
            memset(state, 0, g->state_bytes);
    }
    store_u32(out->data + from + 4, *more);
    return NRW_OK;
}

nrw_status group_save_row(op_group *o, uint8_t *row, bytes *out, group_part *part, size_t block,
                          nrw_error *err)
{
    bool more, several = false;

    do {
        TRY(save_piece(o, row, out, block, &more, err));
        several |= more;
        if (several)
            TRY(group_write_block(o, out, part, err));
    } while (more);
    return NRW_OK;
}

static nrw_status parts_new(op_group *o, nrw_error *err)
{
    nrw_status st = NRW_OK;

    pthread_mutex_lock(&o->lock);
    if (!o->parts) {
        st = mem_zalloc(o->m, GROUP_PARTITIONS * sizeof *o->parts, (void **)&o->parts, err);
        for (uint32_t p = 0; st >= 0 && p < GROUP_PARTITIONS; p++)
            o->parts[p] =
                (group_part){.first = (uint64_t)p << (64 - GROUP_BITS), .bits = GROUP_BITS};
    }
    pthread_mutex_unlock(&o->lock);
    return st;
}

nrw_status group_flush(op_group *o, group_worker *w, nrw_error *err)
{
    const size_t block = group_block_bytes(o, FLUSH_BLOCKS);
    uint64_t at = 0;
    uint32_t part = 0;
    uint8_t *row;

    group_pass_judge(o, w);
    TRY(parts_new(o, err));
    group_table_order(&w->table, GROUP_BITS);
    w->out.len = 0;
    while (group_table_next(&w->table, &at, &row)) {
        uint32_t p = (uint32_t)(row_hash(row) >> (64 - GROUP_BITS));
        if (p != part)
            TRY(group_write_block(o, &w->out, &o->parts[part], err));
        part = p;
        TRY(group_block_room(o, &w->out, &o->parts[p], row_bytes(row), block, err));
        TRY(group_save_row(o, row, &w->out, &o->parts[p], block, err));
    }
    TRY(group_write_block(o, &w->out, &o->parts[part], err));
    bytes_release(&w->out);
    group_table_forget(&w->table);
    group_book_reset(&w->book);
    w->lone = false;
    return NRW_OK;
}

/* ---- back ---- */

/* A row with saved states is copied, so that its block, which has them once more, may go. */
static nrw_status take_saved(op_group *o, group_worker *w, uint8_t *row, const span *saved,
                             bool keep, nrw_error *err)
{
    const group_shape *s = &o->shape;
    mem *hang = w->table.hang;
    nrw_status st = NRW_OK;

    for (uint32_t i = 0; i < s->n_aggregates; i++)
        if (s->aggregates[i].class->save)
            memset(row + s->states[i], 0, s->aggregates[i].state_bytes);
    for (uint32_t i = 0; st >= 0 && i < s->n_aggregates; i++) {
        const aggregate *g = &s->aggregates[i];
        if (g->class->save && !(keep && g->class->finish_saved))
            st = g->class->load(g, saved[i], row + s->states[i], hang, err);
    }
    w->goes_on = load_u32(row + 4);
    store_u32(row + 4, 0);
    if (st >= 0)
        st = group_table_copy(&w->table, row, err);
    if (st < 0) /* nobody else has the row */
        group_drop_states(s, row, hang);
    return st;
}

/* Slots come into the cache before the rows of a block are looked up. */
static nrw_status expect_block(op_group *o, group_worker *w, span block, nrw_error *err)
{
    span saved[o->shape.n_aggregates + 1];
    uint8_t *row;

    for (size_t at = 0; at < block.len;) {
        TRY(group_next_row(&o->shape, block, &at, &row, saved, err));
        group_table_expect(&w->table, row_hash(row));
    }
    return NRW_OK;
}

/* A block of rows alone: at *out, in w->read. */
static nrw_status read_rows(op_group *o, group_worker *w, const spill_block *b, span *out,
                            nrw_error *err)
{
    bytes scratch = bytes_init(w->m, UINT32_MAX);
    nrw_status st = rows_read(&o->shape.layout, o->spill, b, &scratch, &w->read, out, err);

    bytes_release(&scratch);
    return st;
}

/* Rows with saved states between them. */
static nrw_status read_saved(op_group *o, group_worker *w, const spill_block *b, span *out,
                             nrw_error *err)
{
    uint8_t *data;

    TRY(rows_new(&w->read, (uint32_t)((b->len + 7) / 8 * 8), &data, err));
    *out = (span){data, b->len};
    return spill_read(o->spill, b, data, err);
}

static nrw_status read_block(op_group *o, group_worker *w, const spill_block *b, span *out,
                             nrw_error *err)
{
    TRY(op_check(&o->base, err));
    return o->shape.saves ? read_saved(o, w, b, out, err) : read_rows(o, w, b, out, err);
}

/* The next block of a part, whose rows lie in w->read; NRW_END: there is none. */
static nrw_status take_block(op_group *o, group_worker *w, group_part *part, span *out,
                             nrw_error *err)
{
    spill_block b;
    nrw_status st = spill_chain_take(&part->blocks, o->spill, &b, err);

    if (st != NRW_OK)
        return st;
    st = read_block(o, w, &b, out, err);
    spill_free(o->spill, &b);
    return st;
}

nrw_status group_see_block(op_group *o, group_worker *w, spill_chain *walk, span *out,
                           nrw_error *err)
{
    spill_block b;
    nrw_status st = spill_chain_see(walk, o->spill, &b, err);

    return st == NRW_OK ? read_block(o, w, &b, out, err) : st;
}

static nrw_status load_saved(op_group *o, group_worker *w, span block, int how, nrw_error *err)
{
    span saved[o->shape.n_aggregates + 1];
    uint8_t *row;

    for (size_t at = 0; at < block.len;) {
        TRY(group_next_row(&o->shape, block, &at, &row, saved, err));
        TRY(take_saved(o, w, row, saved, how == GROUP_KEEP, err));
    }
    return NRW_OK;
}

#define BARE_ROWS 1024u /* that aggregates see at a time */

/* Rows without saved states. */
static nrw_status load_rows(op_group *o, group_worker *w, span block, bool copy, nrw_error *err)
{
    uint8_t *row, *bare[BARE_ROWS];
    uint32_t n = 0;

    for (size_t at = 0; at < block.len;) {
        TRY(group_next_row(&o->shape, block, &at, &row, NULL, err));
        if (!group_is_bare(row)) {
            TRY(copy ? group_table_copy(&w->table, row, err)
                     : group_table_adopt(&w->table, row, err));
            continue;
        }
        bare[n++] = row;
        if (n == BARE_ROWS) {
            TRY(group_bare_take(o, w, bare, n, copy, err));
            n = 0;
        }
    }
    return n ? group_bare_take(o, w, bare, n, copy, err) : NRW_OK;
}

nrw_status group_load(op_group *o, group_worker *w, group_part *part, int how, nrw_error *err)
{
    const bool adopt = how == GROUP_ADOPT;
    spill_chain walk = part->blocks;
    span block;
    nrw_status st;

    /* a part to be adopted has as many groups as rows, mostly */
    TRY(group_table_reserve(&w->table, adopt ? part->rows : 1, err));
    for (;;) {
        st = how == GROUP_KEEP ? group_see_block(o, w, &walk, &block, err)
                               : take_block(o, w, part, &block, err);
        if (st != NRW_OK)
            return st < 0 ? st : NRW_OK;
        TRY(expect_block(o, w, block, err));
        TRY(o->shape.saves ? load_saved(o, w, block, how, err)
                           : load_rows(o, w, block, !adopt, err));
        if (o->shape.saves || !adopt)
            rows_clear(&w->read);
    }
}

/* Which of n parts a row goes to by the bits of its hash from `shift` on. */
static uint32_t part_of(const uint8_t *row, uint32_t shift, uint32_t n)
{
    return (uint32_t)(row_hash(row) >> shift) & (n - 1);
}

/* The rows of a block to the parts of `out`. */
static nrw_status split_block(op_group *o, span block, uint32_t shift, uint32_t n, bytes *to,
                              group_part *out, nrw_error *err)
{
    const size_t most = group_block_bytes(o, n);
    span saved[o->shape.n_aggregates + 1];
    uint8_t *row;

    for (size_t at = 0; at < block.len;) {
        size_t from = at;
        uint32_t k;
        TRY(group_next_row(&o->shape, block, &at, &row, saved, err));
        k = part_of(row, shift, n);
        TRY(group_block_room(o, &to[k], &out[k], at - from, most, err));
        TRY(bytes_append(&to[k], block.data + from, at - from, err));
        TRY(group_block_room(o, &to[k], &out[k], 0, most, err));
    }
    return NRW_OK;
}

/* One that was taken, which is gone then; but one whose rows have one hash is not written again. */
static nrw_status split_taken(op_group *o, group_worker *w, const spill_block *b, uint32_t shift,
                              uint32_t n, bytes *to, group_part *out, nrw_error *err)
{
    block_facts f;
    span block;
    nrw_status st;

    rows_clear(&w->read);
    st = read_block(o, w, b, &block, err);
    if (st >= 0)
        st = look_at(o, block, &f, err);
    if (st >= 0 && !f.differ)
        return add_block(o, &out[part_of(block.data, shift, n)], b, &f, err);
    if (st >= 0)
        st = split_block(o, block, shift, n, to, out, err);
    spill_free(o->spill, b);
    return st;
}

nrw_status group_split(op_group *o, group_worker *w, group_part *part, uint32_t bits,
                       group_part *out, nrw_error *err)
{
    uint32_t n = 1u << bits, shift = 64 - part->bits - bits;
    bytes *to;
    spill_block b;
    nrw_status st;

    for (uint32_t k = 0; k < n; k++)
        out[k] =
            (group_part){.first = part->first | (uint64_t)k << shift, .bits = part->bits + bits};
    TRY(mem_zalloc(w->m, n * sizeof *to, (void **)&to, err));
    for (uint32_t k = 0; k < n; k++)
        to[k] = bytes_init(w->m, UINT32_MAX);
    while ((st = spill_chain_take(&part->blocks, o->spill, &b, err)) == NRW_OK) {
        st = split_taken(o, w, &b, shift, n, to, out, err);
        if (st < 0)
            break;
    }
    for (uint32_t k = 0; st >= 0 && k < n; k++)
        st = group_write_block(o, &to[k], &out[k], err);
    for (uint32_t k = 0; k < n; k++)
        bytes_release(&to[k]);
    mem_free(w->m, to, n * sizeof *to);
    rows_clear(&w->read);
    return st < 0 ? st : NRW_OK;
}
