/* Steps carried out, whatever they meet. */
#include "format/avro/decode_own.h"
#include "format/avro/ordinary.h"
#include "format/avro/sparse.h"
#include "format/avro/value.h"

static nrw_status no_branch(uint32_t n, int64_t branch, nrw_error *err)
{
    return err_set(err, NRW_E_CORRUPT, "a union of %u branches has none of number %lld", n,
                   (long long)branch);
}

/* ---- stepping over ---- */

/* What has no step of its own behind one that is stepped over: fixed bytes of other columns. */
static nrw_status skip_behind(av_run *r, const av_step *step, const char **name, nrw_error *err)
{
    const uint8_t *p;
    nrw_status st = take(r, step->then, &p, err);

    if (__builtin_expect(st != NRW_OK, 0) && !*name)
        *name = "";
    return st;
}

/* The branch number in front of an element that may be null. */
static nrw_status skip_branch(av_run *r, const av_step *step, bool *null, nrw_error *err)
{
    int64_t branch = 0;

    STEP(take_long(r, &branch, err));
    *null = branch == step->null;
    return branch >= 0 && branch < 2 ? NRW_OK : no_branch(2, branch, err);
}

static nrw_status skip_element(av_run *r, const av_step *step, const char **name, nrw_error *err)
{
    const uint8_t *p;
    int64_t x = 0;
    span text = {0};
    bool null = false;

    if (step->maybe)
        STEP(skip_branch(r, step, &null, err));
    if (null)
        return skip_behind(r, step, name, err);
    if (step->op == AV_OP_SKIP_FIXED)
        STEP(take(r, step->n, &p, err));
    else if (step->op == AV_OP_SKIP_BYTES)
        STEP(take_text(r, &text, err));
    else
        for (uint32_t i = 0; i < step->n; i++)
            STEP(take_long(r, &x, err));
    return skip_behind(r, step, name, err);
}

/* ---- nested ---- */

static nrw_status run(av_run *r, const av_step *steps, uint32_t at, uint32_t end, const char **name,
                      nrw_error *err);

/* The next block of a list: how many items, and their bytes where they are said (else -1). 0 items
 * end the list. More than can be there is NRW_END: who has the whole block knows that it is wrong.
 */
static nrw_status next_items(av_run *r, const av_step *step, int64_t *n, int64_t *size,
                             nrw_error *err)
{
    *size = -1;
    STEP(take_long(r, n, err));
    if (*n < 0) {
        STEP(take_long(r, size, err));
        if (*size < 0 || *n == INT64_MIN)
            return err_set(err, NRW_E_CORRUPT, "a block of items has a wrong size");
        if (*size > r->end - r->p)
            return NRW_END;
        *n = -*n;
    }
    return step->n && *n > (r->end - r->p) / step->n ? NRW_END : NRW_OK;
}

/* The steps of the list at `at`, n times. */
static nrw_status run_items(av_run *r, const av_step *steps, uint32_t at, int64_t n,
                            const char **name, nrw_error *err)
{
    for (; n > 0; n--) {
        const uint8_t *before = r->p;
        STEP(run(r, steps, at + 1, steps[at].end, name, err));
        if (r->p == before)
            TRY(av_empty_item(&r->empty, err));
    }
    return NRW_OK;
}

static nrw_status read_list(av_run *r, const av_step *steps, uint32_t at, const char **name,
                            nrw_error *err)
{
    const av_step *step = &steps[at];
    av_slot *s = &r->slots[step->slot];
    int64_t n = 0, size = 0;

    STEP(av_slot_room(s, err));
    for (;;) {
        STEP(next_items(r, step, &n, &size, err));
        if (n == 0)
            break;
        const uint8_t *start = r->p;
        STEP(run_items(r, steps, at, n, name, err));
        if (size >= 0 && r->p - start != size)
            return err_set(err, NRW_E_CORRUPT, "items of %lld bytes were announced with %lld",
                           (long long)(r->p - start), (long long)size);
    }
    ((uint32_t *)(void *)s->data)[++s->len] = s[1].len;
    return NRW_OK;
}

static nrw_status skip_list(av_run *r, const av_step *steps, uint32_t at, const char **name,
                            nrw_error *err)
{
    const av_step *step = &steps[at];
    int64_t n = 0, size = 0;

    for (;;) {
        STEP(next_items(r, step, &n, &size, err));
        if (n == 0)
            return NRW_OK;
        if (size >= 0)
            r->p += size;
        else if (step->body_fixed)
            r->p += n * step->n; /* as many are there: see next_items */
        else
            STEP(run_items(r, steps, at, n, name, err));
    }
}

/* Nulls for the columns that begin in slots [first, end). */
static nrw_status nulls(av_run *r, uint32_t first, uint32_t end, nrw_error *err)
{
    while (first < end) {
        TRY(av_slot_null(&r->slots[first], err));
        first += 1 + r->slots[first].below;
    }
    return NRW_OK;
}

/* Goes to the steps of the branch that is there. */
static nrw_status enter_branch(av_run *r, const av_step *steps, uint32_t *at, nrw_error *err)
{
    const av_step *u = &steps[*at];
    uint32_t link = *at + 1, first = u->slot + u->whole;
    int64_t branch = 0;

    STEP(take_long(r, &branch, err));
    if (branch < 0 || branch >= u->n)
        return no_branch(u->n, branch, err);
    for (int64_t i = 0; i < branch; i++)
        link = steps[link].end;
    *at = link + 1;
    if (u->slots == 0)
        return NRW_OK;
    if (branch == u->null)
        return nulls(r, u->slot, u->slot + u->slots, err);
    if (u->whole) {
        STEP(av_slot_room(&r->slots[u->slot], err));
        r->slots[u->slot].len++;
    }
    TRY(nulls(r, first, steps[link].slot, err));
    return nulls(r, steps[link].slot + steps[link].slots, u->slot + u->slots, err);
}

static nrw_status enter_nullable(av_run *r, const av_step *steps, uint32_t *at, nrw_error *err)
{
    const av_step *step = &steps[*at];
    uint32_t branches = step->null == UINT32_MAX ? 1 : 2;
    int64_t branch = 0;

    STEP(take_long(r, &branch, err));
    if (branch < 0 || branch >= branches)
        return no_branch(branches, branch, err);
    if (branch != step->null) {
        ++*at;
        return NRW_OK;
    }
    *at = step->end;
    return nulls(r, step->slot, step->slot + step->slots, err);
}

static nrw_status choose(av_run *r, const av_step *step, nrw_error *err)
{
    const uint32_t child = step->data, end = step->slot + step->slots;

    if (step->whole) {
        STEP(av_slot_room(&r->slots[step->slot], err));
        r->slots[step->slot].len++;
    }
    TRY(nulls(r, step->slot + step->whole, child, err));
    return nulls(r, child + step->n, end, err);
}

static nrw_status not_null(av_run *r, const av_step *step, nrw_error *err)
{
    int64_t branch = 0;

    STEP(take_long(r, &branch, err));
    if (branch < 0 || branch > 1)
        return no_branch(2, branch, err);
    return branch != step->null
               ? NRW_OK
               : err_set(err, NRW_E_VALUE, "null has no place in the schema that is read by");
}

static nrw_status read_default(av_run *r, const av_step *steps, uint32_t at, const char **name,
                               nrw_error *err)
{
    const av_step *step = &steps[at];
    const uint8_t *p = r->p, *end = r->end;
    const bool own = r->own;
    nrw_status st;

    r->p = r->program->data.data + step->data;
    r->end = r->p + step->n;
    r->own = true;
    st = run(r, steps, at + 1, step->end, name, err);
    r->p = p;
    r->end = end;
    r->own = own;
    return st;
}

/* Steps that only a schema of the reader asks for. */
static nrw_status run_resolving(av_run *r, const av_step *steps, uint32_t *at, const char **name,
                                nrw_error *err)
{
    const av_step *step = &steps[*at];
    nrw_status st;

    switch ((av_op)step->op) {
    case AV_OP_NULLS: st = nulls(r, step->slot, step->slot + step->slots, err); break;
    case AV_OP_CHOOSE: st = choose(r, step, err); break;
    case AV_OP_NOT_NULL: st = not_null(r, step, err); break;
    case AV_OP_DEFAULT:
        st = read_default(r, steps, *at, name, err);
        *at = step->end;
        return st;
    default:
        st = err_set(err, NRW_E_VALUE,
                     "a value of type %.100s has no place in the schema that is "
                     "read by",
                     step->type->name);
        break;
    }
    ++*at;
    return st;
}

/* One step that is not as usual, or of a kind that av_ordinary does not know; *at goes on. On
 * failure *name is the field where it was. */
static nrw_status run_step(av_run *r, const av_step *steps, uint32_t *at, const char **name,
                           nrw_error *err)
{
    const av_step *step = &steps[*at];
    nrw_status st = NRW_OK;

    switch ((av_op)step->op) {
    case AV_OP_NULLABLE: st = enter_nullable(r, steps, at, err); break;
    case AV_OP_UNION: st = enter_branch(r, steps, at, err); break;
    case AV_OP_JUMP: *at = step->end; break;
    case AV_OP_LIST:
        st = read_list(r, steps, *at, name, err);
        *at = step->end;
        break;
    case AV_OP_SKIP_LIST:
        st = skip_list(r, steps, *at, name, err);
        *at = step->end;
        break;
    case AV_OP_NULLS:
    case AV_OP_CHOOSE:
    case AV_OP_DEFAULT:
    case AV_OP_NOT_NULL:
    case AV_OP_FAIL: st = run_resolving(r, steps, at, name, err); break;
    default:
        if (av_is_element(step->op))
            st = skip_element(r, step, name, err);
        else if (step->op == AV_OP_SKIP_TYPE)
            st = av_json(step->type, &r->p, r->end, &r->empty, NULL, err);
        else
            st = av_read_single(r, step, err);
        ++*at;
        break;
    }
    if (__builtin_expect(st != NRW_OK, 0) && !*name)
        *name = step->name;
    return st;
}

/* Steps [at, end) of a program. */
static nrw_status run(av_run *r, const av_step *steps, uint32_t at, uint32_t end, const char **name,
                      nrw_error *err)
{
    while ((at = av_ordinary(r, steps, at, end, false)) < end)
        STEP(run_step(r, steps, &at, name, err));
    return NRW_OK;
}

/* Records that are tried in vain to be read as sparse ones before the others are not. */
#define VAIN_MOST 4

static nrw_status run_records(av_run *r, const char **name, nrw_error *err)
{
    const av_step *steps = r->program->steps;
    const uint32_t end = r->program->n_steps;
    uint32_t tries = r->program->sparse ? VAIN_MOST : 0;

    for (;; r->left--) {
        uint32_t at = 0;
        if (tries > 0)
            tries = av_sparse_records(r) > 0 ? VAIN_MOST : tries - 1;
        if (r->left == 0)
            break;
        av_begin_record(r, r->p);
        while ((at = av_ordinary(r, steps, at, end, tries == 0)) < end)
            STEP(run_step(r, steps, &at, name, err));
    }
    return NRW_OK;
}

nrw_status av_decode(av_run *r, nrw_error *err)
{
    const char *name = NULL;
    nrw_status st = run_records(r, &name, err);

    if (st == NRW_END)
        st = err_set(err, NRW_E_CORRUPT, "a value goes on behind the end of the block");
    if (st < 0 && name)
        err_at_column(err, name);
    return st;
}

nrw_status av_skip(av_run *r, nrw_error *err)
{
    const char *name = NULL;
    nrw_status st;

    av_begin_record(r, r->p);
    st = run(r, r->program->skip, 0, r->program->n_skip, &name, err);
    if (st < 0 && name)
        err_at_column(err, name);
    return st;
}
