#include "column/arrow_c_array.h"

/* What stands where a buffer has no bytes: an offset of zero, too. */
static const uint64_t nothing[8];

struct arrow_books {
    _Atomic uint32_t refs;
    mem *root;
};

/* The private data of an array, behind which its children lie. */
typedef struct exported {
    mem *m;
    size_t size;        /* of this block */
    arrow_books *books; /* NULL: not handed out */
    bytes parts[3];     /* validity, fixed, more */
    int64_t more_len;   /* of the one buffer that views point into */
    const void *buffers[4];
    struct ArrowArray dictionary;
    struct ArrowArray *children[];
} exported;

/* ---- books ---- */

nrw_status arrow_books_new(arrow_books **out, nrw_error *err)
{
    nrw_status st;
    mem *root;
    void *p;

    *out = NULL;
    TRY(mem_root(MEM_NO_LIMIT, &root, err));
    st = mem_alloc(root, sizeof **out, &p, err);
    if (st < 0) {
        mem_free_account(root);
        return st;
    }
    *out = p;
    **out = (arrow_books){.refs = 1, .root = root};
    return NRW_OK;
}

arrow_books *arrow_books_ref(arrow_books *b)
{
    atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
    return b;
}

mem *arrow_books_mem(arrow_books *b)
{
    return b->root;
}

void arrow_books_unref(arrow_books *b)
{
    mem *root;

    if (!b || atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) > 1)
        return;
    root = b->root;
    mem_free(root, b, sizeof *b);
    mem_free_account(root);
}

/* ---- arrays ---- */

static void release(struct ArrowArray *a)
{
    exported *e = a->private_data;
    arrow_books *books = e->books;
    mem *m = e->m;

    for (int64_t i = 0; i < a->n_children; i++)
        if (a->children[i]->release)
            a->children[i]->release(a->children[i]);
    if (e->dictionary.release)
        e->dictionary.release(&e->dictionary);
    for (int i = 0; i < 3; i++)
        bytes_release(&e->parts[i]);
    mem_free(m, e, e->size);
    if (books)
        mem_trim_root(m);
    arrow_books_unref(books);
    a->release = NULL;
}

static void move_part(bytes *b, mem *to)
{
    if (b->data)
        mem_move(b->m, to, b->cap);
    b->m = to;
}

void arrow_c_hand_out(struct ArrowArray *a, arrow_books *books)
{
    exported *e = a->private_data;

    if (e->books)
        return;
    for (int64_t i = 0; i < a->n_children; i++)
        arrow_c_hand_out(a->children[i], books);
    for (int i = 0; i < 3; i++)
        move_part(&e->parts[i], books->root);
    mem_move(e->m, books->root, e->size);
    e->m = books->root;
    e->books = arrow_books_ref(books);
}

static nrw_status new_array(mem *m, uint32_t n_children, struct ArrowArray *out, nrw_error *err)
{
    const size_t each = sizeof(struct ArrowArray *) + sizeof(struct ArrowArray);
    const size_t size = sizeof(exported) + n_children * each;
    struct ArrowArray *fields;
    exported *e;
    void *p;

    *out = (struct ArrowArray){0};
    TRY(mem_zalloc(m, size, &p, err));
    e = p;
    e->m = m;
    e->size = size;
    for (int i = 0; i < 3; i++)
        e->parts[i] = bytes_init(m, 0);
    fields = (struct ArrowArray *)(void *)(e->children + n_children);
    for (uint32_t i = 0; i < n_children; i++)
        e->children[i] = &fields[i];
    *out = (struct ArrowArray){
        .buffers = e->buffers, .children = e->children, .release = release, .private_data = e};
    return NRW_OK;
}

static void take_part(bytes *from, bytes *to)
{
    *to = *from;
    *from = bytes_init(to->m, from->max);
}

/* In the builder's order; views have the lengths of what they point into behind all else. */
static void take_buffers(arrow_builder *b, exported *e, struct ArrowArray *out)
{
    const arrow_layout *l = b->layout;
    span at[ARROW_BUFFERS_MAX];
    uint32_t n = arrow_builder_buffers(b, at);

    for (uint32_t i = 0; i < n; i++)
        e->buffers[i] = at[i].len ? at[i].data : i ? (const void *)nothing : NULL;
    if (l->kind == LAID_VIEWS && !l->dictionary) {
        e->more_len = (int64_t)b->more.len;
        e->buffers[n++] = &e->more_len;
    }
    out->n_buffers = n;
    if (n && b->nulls)
        take_part(&b->validity, &e->parts[0]);
    take_part(&b->fixed, &e->parts[1]);
    take_part(&b->more, &e->parts[2]);
}

/* ---- arrays that many hold ---- */

nrw_status arrow_c_share(mem *m, struct ArrowArray *array, arrow_c_shared **out, nrw_error *err)
{
    void *p;
    nrw_status st = mem_alloc(m, sizeof **out, &p, err);

    *out = NULL;
    if (st < 0) {
        array->release(array);
        return st;
    }
    *out = p;
    **out = (arrow_c_shared){.refs = 1, .m = m, .array = *array};
    *array = (struct ArrowArray){0};
    return NRW_OK;
}

arrow_c_shared *arrow_c_shared_ref(arrow_c_shared *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void arrow_c_shared_unref(arrow_c_shared *s)
{
    struct ArrowArray last;

    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) > 1)
        return;
    last = s->array;
    mem_free(s->m, s, sizeof *s);
    last.release(&last); /* with it m may go */
}

static void release_view(struct ArrowArray *a)
{
    arrow_c_shared_unref(a->private_data);
    a->release = NULL;
}

static struct ArrowArray view_of(arrow_c_shared *s)
{
    struct ArrowArray a = s->array;

    a.release = release_view;
    a.private_data = arrow_c_shared_ref(s);
    return a;
}

/* ---- from builders ---- */

nrw_status arrow_c_export(arrow_builder *b, arrow_c_shared *const *dictionaries,
                          struct ArrowArray *out, nrw_error *err)
{
    nrw_status st = new_array(b->m, b->n_children, out, err);
    exported *e = out->private_data;

    TRY(st);
    out->length = (int64_t)b->rows;
    out->null_count = (int64_t)b->nulls;
    take_buffers(b, e, out);
    for (uint32_t i = 0; st >= 0 && i < b->n_children; i++) {
        st = arrow_c_export(&b->children[i], dictionaries, e->children[i], err);
        out->n_children += st >= 0;
    }
    if (st < 0) {
        release(out);
        return st;
    }
    if (b->layout->dictionary) {
        e->dictionary = view_of(dictionaries[b->layout->dictionary_id]);
        out->dictionary = &e->dictionary;
    }
    return NRW_OK;
}

nrw_status arrow_c_export_rows(arrow_builder *columns, uint32_t n, uint64_t rows, mem *m,
                               arrow_c_shared *const *dictionaries, struct ArrowArray *out,
                               nrw_error *err)
{
    nrw_status st = new_array(m, n, out, err);

    TRY(st);
    out->length = (int64_t)rows;
    out->n_buffers = 1; /* no validity: all rows are there */
    for (uint32_t i = 0; st >= 0 && i < n; i++) {
        st = arrow_c_export(&columns[i], dictionaries, out->children[i], err);
        out->n_children += st >= 0;
    }
    if (st < 0)
        release(out);
    return st;
}
