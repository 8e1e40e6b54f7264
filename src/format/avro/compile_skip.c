/* What is not wanted, as steps: elements, of which those of known size go with the one before, and
 * numbers that follow each other are one. */
#include "format/avro/compile_own.h"

static nrw_status skip_fixed(compiler *k, uint32_t bytes)
{
    av_program *p = k->p;
    av_step *last = p->n_steps > k->fence ? &p->steps[p->n_steps - 1] : NULL;
    uint32_t at;

    if (bytes == 0)
        return NRW_OK;
    if (last && last->op == AV_OP_SKIP_FIXED && !last->maybe && last->n < INT32_MAX - bytes) {
        last->n += bytes;
        return NRW_OK;
    }
    if (last && av_is_element(last->op) && (last->op != AV_OP_SKIP_FIXED || last->maybe) &&
        last->then < INT32_MAX - bytes) {
        last->then += bytes;
        return NRW_OK;
    }
    TRY(av_add_step(p, AV_OP_SKIP_FIXED, NULL, &at, k->err));
    p->steps[at].n = bytes;
    return NRW_OK;
}

static nrw_status skip_varint(compiler *k, const av_node *n)
{
    av_program *p = k->p;
    av_step *last = p->n_steps > k->fence ? &p->steps[p->n_steps - 1] : NULL;
    uint32_t at;

    if (last && last->op == AV_OP_SKIP_VARINT && last->then == 0 && !last->maybe &&
        last->n < AV_NUMBERS_MOST) {
        last->n++;
        last->name = ""; /* which of them is damaged is not known */
        return NRW_OK;
    }
    TRY(av_add_step(p, AV_OP_SKIP_VARINT, n, &at, k->err));
    p->steps[at].n = 1;
    return NRW_OK;
}

static nrw_status skip_list(compiler *k, const av_node *n)
{
    uint32_t at, least = 0;

    TRY(av_add_step(k->p, AV_OP_SKIP_LIST, n, &at, k->err));
    k->fence = k->p->n_steps;
    for (uint32_t i = 0; i < n->n; i++) {
        TRY(av_skip_node(k, &n->children[i]));
        least += av_least_bytes(&n->children[i]);
    }
    av_step *s = &k->p->steps[at];
    s->n = least;
    s->end = k->fence = k->p->n_steps;
    s->body_fixed =
        s->end == at + 1 || (s->end == at + 2 && s[1].op == AV_OP_SKIP_FIXED && !s[1].maybe);
    return NRW_OK;
}

static nrw_status skip_union(compiler *k, const av_node *n)
{
    uint32_t at;

    TRY(av_add_step(k->p, AV_OP_UNION, n, &at, k->err));
    k->p->steps[at].n = n->type->n;
    return av_branches(k, n, true, false);
}

static uint32_t fixed_bytes(const av_type *t)
{
    switch (t->kind) {
    case AV_BOOLEAN: return 1;
    case AV_FLOAT: return 4;
    case AV_DOUBLE: return 8;
    default: return t->size;
    }
}

static nrw_status skip_value(compiler *k, const av_node *n)
{
    uint32_t at;

    if (n->repeats)
        return av_add_step(k->p, AV_OP_SKIP_TYPE, n, &at, k->err);
    switch (n->type->kind) {
    case AV_NULL: return NRW_OK;
    case AV_BOOLEAN:
    case AV_FLOAT:
    case AV_DOUBLE:
    case AV_FIXED: return skip_fixed(k, fixed_bytes(n->type));
    case AV_INT:
    case AV_LONG:
    case AV_ENUM: return skip_varint(k, n);
    case AV_BYTES:
    case AV_STRING: return av_add_step(k->p, AV_OP_SKIP_BYTES, n, &at, k->err);
    case AV_ARRAY:
    case AV_MAP: return skip_list(k, n);
    case AV_UNION: return skip_union(k, n);
    case AV_RECORD: break;
    }
    for (uint32_t i = 0; i < n->n; i++)
        TRY(av_skip_node(k, &n->children[i]));
    return NRW_OK;
}

/* A value that may be null, as one element. False: it takes several steps. */
static bool maybe_element(const av_node *n, av_op *op, uint32_t *bytes)
{
    *bytes = 1;
    if (n->repeats || n->null_branch == UINT32_MAX)
        return false;
    switch (n->type->kind) {
    case AV_BOOLEAN:
    case AV_FLOAT:
    case AV_DOUBLE:
    case AV_FIXED:
        *op = AV_OP_SKIP_FIXED;
        *bytes = fixed_bytes(n->type);
        return true;
    case AV_INT:
    case AV_LONG:
    case AV_ENUM: *op = AV_OP_SKIP_VARINT; return true;
    case AV_BYTES:
    case AV_STRING: *op = AV_OP_SKIP_BYTES; return true;
    default: return false;
    }
}

nrw_status av_skip_node(compiler *k, const av_node *n)
{
    uint32_t at, bytes;
    av_op op;

    if (!n->outer)
        return skip_value(k, n);
    if (maybe_element(n, &op, &bytes)) {
        TRY(av_add_step(k->p, op, n, &at, k->err));
        k->p->steps[at].maybe = true;
        k->p->steps[at].null = n->null_branch;
        k->p->steps[at].n = bytes;
        return NRW_OK;
    }
    TRY(av_add_step(k->p, AV_OP_NULLABLE, n, &at, k->err));
    k->p->steps[at].null = n->null_branch;
    k->fence = k->p->n_steps;
    TRY(skip_value(k, n));
    k->p->steps[at].end = k->fence = k->p->n_steps;
    return NRW_OK;
}
