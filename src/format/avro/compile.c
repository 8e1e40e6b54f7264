/* Columns to steps. */
#include "format/avro/compile_own.h"
#include "format/avro/sparse.h"

/* ---- arrays that grow ---- */

static nrw_status grow(mem *m, void **p, uint32_t *cap, uint32_t n, size_t each, nrw_error *err)
{
    uint32_t more = *cap ? *cap * 2 : 32;

    if (n < *cap)
        return NRW_OK;
    TRY(mem_realloc(m, p, *cap * each, more * each, err));
    *cap = more;
    return NRW_OK;
}

nrw_status av_add_step(av_program *p, av_op op, const av_node *n, uint32_t *at, nrw_error *err)
{
    TRY(grow(p->m, (void **)&p->steps, &p->cap_steps, p->n_steps, sizeof *p->steps, err));
    *at = p->n_steps;
    p->steps[p->n_steps++] = (av_step){.op = (uint8_t)op,
                                       .null = UINT32_MAX,
                                       .type = n ? n->type : NULL,
                                       .name = n ? n->field.name : ""};
    return NRW_OK;
}

/* The enum's symbols as a dictionary; one an enum of the program. */
static nrw_status add_symbols(av_program *p, const av_type *t, uint32_t *out, nrw_error *err)
{
    type text = type_of(TYPE_ENUM);
    buffer *heap = NULL;
    size_t bytes = 0, at = 0;
    nrw_status st;
    vector v;

    TRY(grow(p->m, (void **)&p->symbols, &p->cap_symbols, p->n_symbols, sizeof *p->symbols, err));
    for (uint32_t i = 0; i < t->n; i++)
        bytes += strlen(t->names[i]);
    if (bytes > INT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "the symbols of enum %.200s are too long", t->name);
    TRY(vector_flat(p->m, &text, t->n, &v, err));
    st = buffer_new(p->m, bytes, &heap, err);
    if (st >= 0) {
        int32_t index;
        for (uint32_t i = 0; i < t->n; i++) {
            size_t len = strlen(t->names[i]);
            memcpy(heap->data + at, t->names[i], len);
            ((view *)(void *)v.data)[i] = view_make(heap->data + at, (int32_t)len, 0, (int32_t)at);
            at += len;
        }
        heap->len = bytes;
        v.len = t->n;
        st = vector_add_heap(&v, heap, &index, err);
        buffer_unref(heap);
    }
    if (st < 0)
        vector_release(&v);
    else
        st = dict_new(p->m, &v, &p->symbols[p->n_symbols], err);
    if (st >= 0)
        *out = p->n_symbols++;
    return st;
}

nrw_status av_add_slot(compiler *k, const av_node *n, uint32_t *at)
{
    av_program *p = k->p;
    av_slot_plan *s;

    TRY(grow(p->m, (void **)&p->slots, &p->cap_slots, p->n_slots, sizeof *p->slots, k->err));
    *at = p->n_slots++;
    s = &p->slots[*at];
    *s = (av_slot_plan){&n->field.type, 0, UINT32_MAX, k->list_depth > 0};
    if (n->field.type.id == TYPE_ENUM)
        TRY(add_symbols(p, n->type, &s->symbols, k->err));
    if (!s->repeated)
        p->row_bytes += n->field.type.id == TYPE_ENUM ? 4 : n->field.type.width;
    return NRW_OK;
}

/* ---- reading ---- */

/* Which child a branch is; NULL: the null branch. */
static const av_node *branch_child(const av_node *n, uint32_t i)
{
    return i == n->null_in ? NULL : &n->children[i - (i > n->null_in)];
}

static nrw_status read_node(compiler *k, const av_node *n, bool whole);

/* A child of a struct, or what is wanted of it. */
static nrw_status read_child(compiler *k, const av_node *n, bool whole)
{
    return whole || av_wanted_below(k, n) ? read_node(k, n, whole) : av_skip_node(k, n);
}

nrw_status av_branches(compiler *k, const av_node *n, bool skip, bool whole)
{
    av_program *p = k->p;
    uint32_t link, jump, last_jump = UINT32_MAX;

    for (uint32_t i = 0; i < n->type->n; i++) {
        const av_node *child = branch_child(n, i);
        uint32_t first = p->n_slots;
        TRY(av_add_step(p, AV_OP_BRANCH, n, &link, k->err));
        k->fence = p->n_steps;
        if (child && skip)
            TRY(av_skip_node(k, child));
        else if (child)
            TRY(read_child(k, child, whole));
        TRY(av_add_step(p, AV_OP_JUMP, n, &jump, k->err));
        p->steps[jump].n = last_jump; /* the chain of jumps, until their end is known */
        last_jump = jump;
        p->steps[link].slot = first;
        p->steps[link].slots = p->n_slots - first;
        p->steps[link].end = k->fence = p->n_steps;
    }
    while (last_jump != UINT32_MAX) {
        uint32_t before = p->steps[last_jump].n;
        p->steps[last_jump].end = p->n_steps;
        last_jump = before;
    }
    return NRW_OK;
}

bool av_wanted_below(const compiler *k, const av_node *n)
{
    if (n->place != UINT32_MAX && k->wanted[n->place])
        return true;
    for (uint32_t i = 0; n->field.type.id == TYPE_STRUCT && i < n->n; i++)
        if (av_wanted_below(k, &n->children[i]))
            return true;
    return false;
}

av_op av_leaf_op(const av_type *t)
{
    switch (t->logical) {
    case AV_DECIMAL: return t->kind == AV_FIXED ? AV_OP_DECIMAL_FIX : AV_OP_DECIMAL;
    case AV_BIG_DECIMAL: return AV_OP_BIG_DECIMAL;
    case AV_UUID: return t->kind == AV_FIXED ? AV_OP_COPY : AV_OP_UUID_TEXT;
    case AV_TIME: return t->kind == AV_INT ? AV_OP_INT_WIDE : AV_OP_LONG;
    default: break;
    }
    switch (t->kind) {
    case AV_BOOLEAN: return AV_OP_BOOL;
    case AV_INT: return AV_OP_INT;
    case AV_LONG: return AV_OP_LONG;
    case AV_FLOAT:
    case AV_DOUBLE:
    case AV_FIXED: return AV_OP_COPY;
    case AV_BYTES: return AV_OP_BYTES;
    case AV_STRING: return AV_OP_TEXT;
    case AV_ENUM: return AV_OP_ENUM;
    default: return AV_OP_NULL;
    }
}

static nrw_status read_leaf(compiler *k, const av_node *n, uint32_t slot)
{
    av_op op = n->repeats ? AV_OP_JSON : av_leaf_op(n->type);
    uint32_t at;

    TRY(av_add_step(k->p, op, n, &at, k->err));
    av_step *s = &k->p->steps[at];
    s->slot = slot;
    s->n = op == AV_OP_ENUM          ? n->type->n
           : op == AV_OP_DECIMAL_FIX ? n->type->size
                                     : n->field.type.width;
    return NRW_OK;
}

static nrw_status read_list(compiler *k, const av_node *n, uint32_t slot)
{
    uint32_t at, least = 0;

    TRY(av_add_step(k->p, AV_OP_LIST, n, &at, k->err));
    k->p->has_lists = true;
    k->list_depth++;
    k->fence = k->p->n_steps;
    for (uint32_t i = 0; i < n->n; i++) {
        TRY(read_node(k, &n->children[i], true));
        least += av_least_bytes(&n->children[i]);
    }
    k->list_depth--;
    av_step *s = &k->p->steps[at];
    s->slot = slot;
    s->n = least;
    s->end = k->fence = k->p->n_steps;
    return NRW_OK;
}

/* A record or a union of several: `whole` with a slot of its own, else only parts of it. */
static nrw_status read_struct(compiler *k, const av_node *n, bool whole, uint32_t slot)
{
    const bool is_union = n->type->kind == AV_UNION;
    uint32_t at;

    if (whole || is_union) {
        TRY(av_add_step(k->p, is_union ? AV_OP_UNION : AV_OP_STRUCT, n, &at, k->err));
        k->p->steps[at].slot = slot;
        k->p->steps[at].whole = whole;
    }
    if (!is_union) {
        for (uint32_t i = 0; i < n->n; i++)
            TRY(read_child(k, &n->children[i], whole));
        return NRW_OK;
    }
    k->p->steps[at].n = n->type->n;
    k->p->steps[at].null = n->null_in;
    TRY(av_branches(k, n, false, whole));
    k->p->steps[at].slots = k->p->n_slots - slot;
    return NRW_OK;
}

static nrw_status read_value(compiler *k, const av_node *n, bool whole)
{
    uint32_t slot = k->p->n_slots;

    whole |= n->place != UINT32_MAX && k->wanted[n->place];
    if (whole)
        TRY(av_add_slot(k, n, &slot));
    switch (n->field.type.id) {
    case TYPE_STRUCT: TRY(read_struct(k, n, whole, slot)); break;
    case TYPE_LIST:
    case TYPE_MAP: TRY(read_list(k, n, slot)); break;
    default: TRY(read_leaf(k, n, slot)); break;
    }
    if (whole)
        k->p->slots[slot].below = k->p->n_slots - slot - 1;
    if (n->place != UINT32_MAX)
        k->slot_of[n->place] = slot;
    return NRW_OK;
}

static nrw_status read_node(compiler *k, const av_node *n, bool whole)
{
    uint32_t at, slot = k->p->n_slots;

    if (!n->outer)
        return read_value(k, n, whole);
    TRY(av_add_step(k->p, AV_OP_NULLABLE, n, &at, k->err));
    k->p->steps[at].null = n->null_branch;
    k->fence = k->p->n_steps;
    TRY(read_value(k, n, whole));
    av_step *s = &k->p->steps[at];
    s->slot = slot;
    s->slots = k->p->n_slots - slot;
    s->end = k->fence = k->p->n_steps;
    return NRW_OK;
}

/* ---- the program ---- */

static uint32_t count_texts(const av_program *p)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < p->n_slots; i += 1 + p->slots[i].below)
        n += type_is_view(p->slots[i].type) && p->slots[i].symbols == UINT32_MAX;
    return n;
}

/* Elements that follow each other whatever happens: nothing ends, or goes on, between them. Returns
 * the number of guesses: one an element, and one behind each run. */
static uint32_t find_runs(av_step *steps, uint32_t n)
{
    uint32_t guesses = 0;

    for (uint32_t i = 0; i < n; i++)
        if (steps[i].end > i && steps[i].end < n)
            steps[steps[i].end].entered = true;
    for (uint32_t i = 0, len; i < n; i += len ? len : 1) {
        for (len = 0; i + len < n && av_is_element(steps[i + len].op); len++)
            if (len > 0 && steps[i + len].entered)
                break;
        for (uint32_t k = 0; k < len; k++) {
            steps[i + k].place = k;
            steps[i + k].run = len - k;
            steps[i + k].guess = guesses++;
        }
        guesses += len > 0;
    }
    return guesses;
}

static nrw_status compile_reading(compiler *k)
{
    const av_columns *c = k->c, *file = c->written ? c->written : c;

    for (uint32_t i = 0; i < file->schema.n_fields; i++)
        k->p->least_bytes += av_least_bytes(file->nodes[i]);
    if (c->written)
        return av_resolve(k);
    for (uint32_t i = 0; i < c->schema.n_fields; i++)
        TRY(read_child(k, c->nodes[i], false));
    return NRW_OK;
}

static nrw_status compile_skipping(compiler *k)
{
    av_program *p = k->p;
    const av_columns *file = k->c->written ? k->c->written : k->c;
    av_step *reading = p->steps;
    uint32_t n = p->n_steps, cap = p->cap_steps;
    nrw_status st = NRW_OK;

    p->steps = NULL;
    p->n_steps = p->cap_steps = k->fence = 0;
    for (uint32_t i = 0; i < file->schema.n_fields && st >= 0; i++)
        st = av_skip_node(k, file->nodes[i]);
    p->skip = p->steps;
    p->n_skip = p->n_steps;
    p->cap_skip = p->cap_steps;
    p->steps = reading;
    p->n_steps = n;
    p->cap_steps = cap;
    return st;
}

static nrw_status make(mem *m, const av_columns *c, const uint32_t *cols, uint32_t n, bool *wanted,
                       uint32_t *slot_of, av_program *out, nrw_error *err)
{
    compiler k = {.p = out, .c = c, .wanted = wanted, .slot_of = slot_of, .err = err};

    TRY(mem_alloc(m, n * sizeof *out->outputs, (void **)&out->outputs, err));
    out->n_outputs = n;
    for (uint32_t i = 0; i < n; i++)
        wanted[cols[i]] = true;
    TRY(compile_reading(&k));
    TRY(compile_skipping(&k));
    out->n_texts = count_texts(out);
    out->n_guesses = find_runs(out->steps, out->n_steps);
    out->n_skip_guesses = find_runs(out->skip, out->n_skip);
    TRY(av_sparse_make(out, err));
    for (uint32_t i = 0; i < n; i++)
        out->outputs[i] = slot_of[cols[i]];
    return NRW_OK;
}

nrw_status av_program_make(mem *m, const av_columns *c, const uint32_t *cols, uint32_t n,
                           av_program *out, nrw_error *err)
{
    size_t all = (size_t)c->schema.n_fields + c->schema.n_parts;
    bool *wanted = NULL;
    uint32_t *slot_of = NULL;
    nrw_status st;

    *out = (av_program){.m = m, .data = bytes_init(m, INT32_MAX)};
    TRY(mem_zalloc(m, all * sizeof *wanted, (void **)&wanted, err));
    st = mem_zalloc(m, all * sizeof *slot_of, (void **)&slot_of, err);
    if (st >= 0)
        st = make(m, c, cols, n, wanted, slot_of, out, err);
    mem_free(m, wanted, all * sizeof *wanted);
    mem_free(m, slot_of, slot_of ? all * sizeof *slot_of : 0);
    if (st < 0)
        av_program_release(out);
    return st;
}

nrw_status av_resolve_check(mem *m, const av_columns *c, nrw_error *err)
{
    uint32_t *all;
    av_program p;
    nrw_status st;

    TRY(mem_alloc(m, c->schema.n_fields * sizeof *all + 1, (void **)&all, err));
    for (uint32_t i = 0; i < c->schema.n_fields; i++)
        all[i] = i;
    st = av_program_make(m, c, all, c->schema.n_fields, &p, err);
    if (st >= 0)
        av_program_release(&p);
    mem_free(m, all, c->schema.n_fields * sizeof *all + 1);
    return st;
}

void av_program_release(av_program *p)
{
    bytes_release(&p->data);
    av_sparse_release(p);
    for (uint32_t i = 0; i < p->n_symbols; i++)
        dict_unref(p->symbols[i]);
    mem_free(p->m, p->symbols, p->cap_symbols * sizeof *p->symbols);
    mem_free(p->m, p->steps, p->cap_steps * sizeof *p->steps);
    mem_free(p->m, p->skip, p->cap_skip * sizeof *p->skip);
    mem_free(p->m, p->slots, p->cap_slots * sizeof *p->slots);
    mem_free(p->m, p->outputs, p->outputs ? p->n_outputs * sizeof *p->outputs : 0);
    *p = (av_program){0};
}
