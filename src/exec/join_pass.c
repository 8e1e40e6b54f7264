#include "exec/join_pass.h"

#include "exec/join_room.h"

/* ---- a part's right rows ---- */

/* What n right rows of so many bytes take as a table. */
static uint64_t table_cost(const op_build *o, uint64_t bytes, uint64_t n)
{
    return rows_cost(bytes) +
           (n ? n * sizeof(uint8_t *) + join_table_slots(o, n) * sizeof(uint8_t *) : 0);
}

/* The rows of a block that was fetched. */
static nrw_status add_block(op_build *o, join_pass *p, const spill_block *b, uint32_t len,
                            nrw_error *err)
{
    join_rows *r = &p->right;
    size_t at = 0;
    uint8_t *data;

    TRY(rows_new(&r->rows, len, &data, err));
    TRY(rows_place(&o->layout, o->spill, b, &p->scratch, data, err));
    while (at < len) {
        if (r->n == r->cap) {
            uint64_t cap = r->cap ? r->cap * 2 : 1024;
            void *q = r->at;
            TRY(mem_realloc(p->m, &q, r->cap * sizeof *r->at, cap * sizeof *r->at, err));
            r->at = q;
            r->cap = cap;
        }
        TRY(hash_part_row((span){data, len}, &at, &r->at[r->n], err));
        r->n++;
    }
    return NRW_OK;
}

static void forget_table(join_pass *p)
{
    mem_free(p->m, p->table.slots, p->table.slots ? p->table.n_slots * sizeof *p->table.slots : 0);
    p->table.slots = NULL;
    rows_release(&p->right.rows);
    p->right.n = 0;
}

/* The part's next block, if there is room for it or it is the first one. *bytes: of all rows so
 * far. */
static nrw_status take_block(op_build *o, join_pass *p, uint64_t *bytes, nrw_error *err)
{
    hash_part *part = &p->task.right;
    uint64_t more;
    uint32_t len;
    spill_block b;
    nrw_status st = spill_chain_take(&part->blocks, o->spill, &b, err);

    if (st != NRW_OK)
        return st;
    st = rows_fetch(o->spill, &b, &p->scratch, &len, err);
    more = len * part->rows / part->bytes + 1;
    if (st >= 0 && p->right.n &&
        table_cost(o, *bytes + len, p->right.n + more) >
            join_pass_room(o->spec.memory, o->spec.workers)) {
        TRY(spill_chain_add(&part->blocks, o->spill, &b, err));
        return NRW_END;
    }
    if (st >= 0)
        st = add_block(o, p, &b, len, err);
    spill_free(o->spill, &b);
    *bytes += len;
    return st;
}

/* The right rows of the next pass; of one block at least. */
static nrw_status begin_pass(op_build *o, join_pass *p, nrw_error *err)
{
    uint64_t bytes = 0;
    nrw_status st;

    forget_table(p);
    while ((st = take_block(o, p, &bytes, err)) == NRW_OK)
        ;
    TRY(st);
    p->table.n_slots = join_table_slots(o, p->right.n);
    TRY(mem_zalloc(p->m, p->table.n_slots * sizeof *p->table.slots, (void **)&p->table.slots, err));
    join_table_fill(o, &p->table, p->right.at, p->right.n);
    p->last = spill_chain_is_empty(&p->task.right.blocks);
    return NRW_OK;
}

/* ---- parts ---- */

static void task_free(const op_build *o, join_task *t)
{
    hash_part_free(&o->right, &t->right);
    hash_part_free(&o->left, &t->left);
}

nrw_status join_pass_add(op_build *o, join_pass *p, const join_task *t, nrw_error *err)
{
    void *q = p->stack;

    if (p->n_stack == p->cap_stack) {
        uint32_t cap = p->cap_stack + 16;
        nrw_status st = mem_realloc(p->m, &q, p->cap_stack * sizeof *t, cap * sizeof *t, err);
        if (st < 0) {
            join_task lost = *t;
            task_free(o, &lost);
            return st;
        }
        p->stack = q;
        p->cap_stack = cap;
    }
    p->stack[p->n_stack++] = *t;
    return NRW_OK;
}

/* Both sides of t by HASH_PARTS_SPLIT bits more. */
static nrw_status cut_task(op_build *o, join_pass *p, join_task *t, nrw_error *err)
{
    hash_part right[1u << HASH_PARTS_SPLIT] = {0}, left[1u << HASH_PARTS_SPLIT] = {0};
    uint64_t bytes = t->right.bytes;
    nrw_status st = hash_part_split(&o->right, &t->right, t->bits, p->m, right, err);

    if (st >= 0)
        st = hash_part_split(&o->left, &t->left, t->bits, p->m, left, err);
    task_free(o, t);
    for (uint32_t k = 1u << HASH_PARTS_SPLIT; k-- > 0;) {
        join_task some = {right[k], left[k], t->bits + HASH_PARTS_SPLIT,
                          right[k].bytes > bytes - bytes / 8};
        if (st >= 0)
            st = join_pass_add(o, p, &some, err);
        else
            task_free(o, &some);
    }
    return st;
}

/* Whether anything can come of it. */
static bool is_idle(const op_build *o, const join_task *t)
{
    join_kind k = o->spec.kind;
    bool needs_right = k == JOIN_INNER || k == JOIN_SEMI || k == JOIN_RIGHT || join_only_right(k);
    bool needs_left = !join_keeps_right(k) || k == JOIN_RIGHT_SEMI;

    return (t->right.rows == 0 && needs_right) || (t->left.rows == 0 && needs_left);
}

nrw_status join_pass_open(op_build *o, join_pass *p, nrw_error *err)
{
    join_task t = p->stack[--p->n_stack];

    if (is_idle(o, &t)) {
        task_free(o, &t);
        return NRW_OK;
    }
    if (!t.one_key && o->spec.n_keys && t.bits + HASH_PARTS_SPLIT <= 64 &&
        join_is_cut(table_cost(o, t.right.bytes, t.right.rows), o->spec.memory, o->spec.workers))
        return cut_task(o, p, &t, err);
    p->task = t;
    p->open = true;
    return begin_pass(o, p, err);
}

static void close_task(op_build *o, join_pass *p)
{
    if (p->block.len)
        spill_free(o->spill, &p->block);
    p->block.len = 0;
    spill_chain_free(&p->met, o->spill);
    spill_chain_free(&p->later, o->spill);
    spill_chain_free(&p->met_by_later, o->spill);
    if (p->open)
        task_free(o, &p->task);
    p->open = p->met_before = false;
    forget_table(p);
}

/* ---- left rows ---- */

/* Whether what leaves depends on what a left row has met in earlier passes. */
static bool remembers(const op_build *o)
{
    join_kind k = o->spec.kind;

    return k != JOIN_INNER && k != JOIN_RIGHT && !join_only_right(k);
}

static nrw_status not_what_was_written(nrw_error *err)
{
    return err_set(err, NRW_E_IO, "a block of the spill file does not hold what was written");
}

static nrw_status take_met(op_build *o, join_pass *p, uint32_t n, nrw_error *err)
{
    spill_block b;
    nrw_status st;

    if (!p->met_before) {
        memset(p->met_now, 0, n);
        return NRW_OK;
    }
    st = spill_chain_take(&p->met, o->spill, &b, err);
    if (st == NRW_OK) {
        st = b.len == n ? spill_read(o->spill, &b, p->met_now, err) : NRW_END;
        spill_free(o->spill, &b);
    }
    return st == NRW_END ? not_what_was_written(err) : st;
}

nrw_status join_pass_left(op_build *o, join_pass *p, uint32_t *n, nrw_error *err)
{
    size_t at = 0;
    uint32_t some = 0;
    span block;
    nrw_status st = spill_chain_take(&p->task.left.blocks, o->spill, &p->block, err);

    if (st != NRW_OK) {
        p->block.len = 0;
        return st;
    }
    rows_clear(&p->left);
    TRY(rows_read(o->left.layout, o->left.spill, &p->block, &p->scratch, &p->left, &block, err));
    for (; at < block.len && some < JOIN_BLOCK_ROWS; some++) {
        TRY(hash_part_row(block, &at, &p->rows[some], err));
        p->places[some] = load_u64(row_extra(p->rows[some]));
    }
    if (at < block.len)
        return not_what_was_written(err);
    *n = some;
    return take_met(o, p, some, err);
}

nrw_status join_pass_met(op_build *o, join_pass *p, uint32_t n, nrw_error *err)
{
    if (p->last) {
        spill_free(o->spill, &p->block);
        p->block.len = 0;
        return NRW_OK;
    }
    if (remembers(o))
        TRY(spill_chain_write(&p->met_by_later, o->spill, (span){p->met_now, n}, true, err));
    TRY(spill_chain_add(&p->later, o->spill, &p->block, err));
    p->block.len = 0;
    return NRW_OK;
}

nrw_status join_pass_next(op_build *o, join_pass *p, nrw_error *err)
{
    if (p->last) {
        close_task(o, p);
        return NRW_OK;
    }
    p->task.left.blocks = p->later;
    p->met = p->met_by_later;
    p->met_before = remembers(o);
    p->later = p->met_by_later = (spill_chain){0};
    return begin_pass(o, p, err);
}

/* ---- life ---- */

nrw_status join_pass_new(op_build *o, join_pass *p, nrw_error *err)
{
    TRY(mem_child(o->m, "parts of a join", MEM_NO_LIMIT, &p->m, err));
    p->left.m = p->right.m = p->right.rows.m = p->m;
    p->scratch = bytes_init(p->m, UINT32_MAX);
    return NRW_OK;
}

void join_pass_close(op_build *o, join_pass *p)
{
    if (!p->m)
        return;
    close_task(o, p);
    while (p->n_stack)
        task_free(o, &p->stack[--p->n_stack]);
    mem_free(p->m, p->stack, p->cap_stack * sizeof *p->stack);
    mem_free(p->m, p->right.at, p->right.cap * sizeof *p->right.at);
    rows_release(&p->left);
    bytes_release(&p->scratch);
    mem_free_account(p->m);
}
