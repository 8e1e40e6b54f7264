/* Partitioned writing. A worker takes the columns of its batch and groups the rows by their keys,
 * outside of any turn (partition_keys.c). In the operator's turn the groups get their partitions:
 * new ones are made while there is room for direct writers (partition_table.c), and each direct
 * partition that occurs hands out the next number, which is the batch's place in its file. Then,
 * again outside of the turn, the rows of one partition after the other are gathered and pushed to
 * its writer under that number; all workers go through the partitions in one order, one behind the
 * other. Rows of other partitions go to the sort with their folder's name.
 *
 * At the end the direct files are finished by all workers, their memory is given back, and what was
 * sorted is written folder by folder (partition_rest.c). Files are listed in
 * one order of folders (folder_order), whichever way they were written. */
#include "exec/partition_own.h"

#include "base/hash.h"
#include "exec/dense.h"
#include "exec/op_sort.h"
#include "exec/pipeline.h"

#include <stdlib.h>
#include <sys/resource.h>

#define MIB ((uint64_t)1 << 20)

enum {
    WISH_DIRECT = 64,
    MOST_DIRECT = 256,
    FILES_APART = 64,  /* descriptors for inputs, spill and the rest of the process */
    FILES_EACH = 2,    /* a target's file and its folder */
    SORT_LEAST = 1536, /* KiB a worker */
    EACH_LEAST = 8192  /* list, name and key of a direct partition */
};

typedef struct op_partition {
    op base;
    mem *m;
    arena *a;
    partition_spec spec;
    files_env env;
    uint32_t n_taken, *taken;      /* columns of the batch that are keys or written, once each */
    uint32_t *key_at, *written_at; /* among these */
    uint64_t sort_memory;          /* taken from the room once rows are sorted */
    parquet_room *room;
    turn turn;
    pthread_mutex_t lock; /* the two below, while they come */
    op *sort;             /* NULL: no rows to sort so far */
    part_table table;
    _Atomic bool full; /* no partition is added any more */
    uint32_t *by_name; /* direct partitions by folder, once all are known */
    uint32_t listed;   /* of them */
    parquet_footers *files;
} op_partition;

/* What a worker does with one batch. */
typedef struct work {
    op_partition *o;
    batch *b;
    vector *columns; /* taken */
    vector *keys;    /* flat */
    uint32_t rows;
    key_groups groups;
    uint64_t *numbers; /* a group: the batch's number in its partition */
    uint32_t *parts;   /* a group: its partition, PART_NONE: sorted */
    uint32_t *starts;  /* a group: where its rows begin in `order` */
    uint16_t *order;   /* rows by group, rising in each */
    bytes key, folder;
} work;

/* ---- partitions of groups ---- */

static nrw_status add_part(work *w, uint32_t group, uint64_t hash, uint32_t *part, nrw_error *err)
{
    op_partition *o = w->o;
    writer *to;

    bytes_clear(&w->folder);
    TRY(key_groups_folder(&w->groups, group, o->spec.key_fields, &w->folder, err));
    pthread_mutex_lock(&o->lock);
    nrw_status st = part_table_add(&o->table, &o->env, (span){w->key.data, w->key.len}, hash,
                                   (span){w->folder.data, w->folder.len}, part, err);
    if (st == NRW_OK)
        st = parquet_room_open(o->room, &o->table.at[*part].files.files, &to, err);
    if (st == NRW_OK)
        o->table.at[*part].writer = to;
    pthread_mutex_unlock(&o->lock);
    if (o->table.n == o->table.most)
        atomic_store_explicit(&o->full, true, memory_order_release);
    return st;
}

static nrw_status find_part(work *w, uint32_t group, bool add, nrw_error *err)
{
    op_partition *o = w->o;

    bytes_clear(&w->key);
    TRY(key_groups_bytes(&w->groups, group, &w->key, err));
    uint64_t hash = hash_bytes(w->key.data, w->key.len);
    w->parts[group] = part_table_find(&o->table, (span){w->key.data, w->key.len}, hash);
    if (add && w->parts[group] == PART_NONE && o->table.n < o->table.most)
        return add_part(w, group, hash, &w->parts[group], err);
    return NRW_OK;
}

static nrw_status find_parts(work *w, bool add, nrw_error *err)
{
    for (uint32_t g = 0; g < w->groups.n; g++)
        TRY(find_part(w, g, add, err));
    return NRW_OK;
}

/* In the operator's turn. */
static nrw_status hand_out(work *w, bool found, nrw_error *err)
{
    if (!found)
        TRY(find_parts(w, true, err));
    for (uint32_t g = 0; g < w->groups.n; g++)
        if (w->parts[g] != PART_NONE)
            w->numbers[g] = w->o->table.at[w->parts[g]].next++;
    return NRW_OK;
}

static nrw_status take_turn(work *w, nrw_error *err)
{
    op_partition *o = w->o;
    bool found = atomic_load_explicit(&o->full, memory_order_acquire), last = w->b->last;
    nrw_status st = found ? find_parts(w, false, err) : NRW_OK;

    if (st == NRW_OK)
        st = turn_wait(&o->turn, w->b->morsel);
    if (st == NRW_OK)
        st = hand_out(w, found, err);
    if (st == NRW_OK && last)
        turn_done(&o->turn, w->b->morsel);
    return st;
}

/* ---- rows of a group ---- */

static void order_rows(work *w)
{
    uint32_t at = 0;

    for (uint32_t g = 0; g < w->groups.n; g++) {
        w->starts[g] = at;
        at += w->groups.at[g].rows;
    }
    for (uint32_t i = 0; i < w->rows; i++)
        w->order[w->starts[w->groups.of_row[i]]++] = (uint16_t)i;
    for (uint32_t g = 0; g < w->groups.n; g++)
        w->starts[g] -= w->groups.at[g].rows;
}

/* Written columns of these rows, or of all (NULL), as columns of `to`. */
static nrw_status take_written(const work *w, const uint16_t *rows, uint32_t n, batch *to,
                               nrw_error *err)
{
    const op_partition *o = w->o;

    for (uint32_t c = 0; c < o->spec.written->n_fields; c++) {
        const vector *from = &w->columns[o->written_at[c]];
        vector v;
        TRY(rows ? vector_take(from, rows, n, to->m, &v, err) : vector_share(from, &v, err));
        TRY(dense_put(to, c, &v, err));
    }
    return NRW_OK;
}

static nrw_status push_direct(work *w, uint32_t group, nrw_error *err)
{
    op_partition *o = w->o;
    writer *to = o->table.at[w->parts[group]].writer;
    uint32_t rows = w->groups.at[group].rows, n = o->spec.written->n_fields;
    batch b;
    nrw_status st;

    TRY(dense_new(w->b, n, rows, &b, err));
    b.morsel = w->numbers[group];
    b.offset = 0;
    b.last = true;
    st = take_written(w, w->groups.n > 1 ? w->order + w->starts[group] : NULL, rows, &b, err);
    if (st == NRW_OK)
        st = to->class->push(to, &b, err);
    if (st < 0)
        err_at_object(err, o->table.at[w->parts[group]].files.folder);
    dense_free(&b, n);
    return st;
}

/* Groups in the order of their partitions, which all workers keep: numbers below are at work or
 * done, and nobody waits for who stands behind. */
static nrw_status push_directs(work *w, nrw_error *err)
{
    uint32_t n = w->o->table.most, *of_part;
    size_t bytes = n * sizeof *of_part;
    nrw_status st = NRW_OK;

    TRY(mem_alloc(w->b->m, bytes, (void **)&of_part, err));
    memset(of_part, 255, bytes);
    for (uint32_t g = 0; g < w->groups.n; g++)
        if (w->parts[g] != PART_NONE)
            of_part[w->parts[g]] = g;
    for (uint32_t p = 0; st == NRW_OK && p < n; p++)
        if (of_part[p] != UINT32_MAX)
            st = push_direct(w, of_part[p], err);
    mem_free(w->b->m, of_part, bytes);
    return st;
}

/* ---- rows of all other groups ---- */

/* Folders' names of the groups that are sorted; of_group: which of them. */
static nrw_status rest_names(work *w, uint32_t n, uint32_t *of_group, uint64_t *places, dict **out,
                             nrw_error *err)
{
    const type utf8 = type_of(TYPE_UTF8);
    vector names = {0};
    buffer *heap = NULL;
    uint32_t *ends = NULL, at = 0;
    int32_t index;
    nrw_status st;

    *out = NULL;
    bytes_clear(&w->folder);
    TRY(mem_alloc(w->b->m, n * sizeof *ends, (void **)&ends, err));
    for (uint32_t g = 0; g < w->groups.n; g++) {
        if (w->parts[g] != PART_NONE)
            continue;
        TRY_OUT(key_groups_folder(&w->groups, g, w->o->spec.key_fields, &w->folder, err));
        uint32_t from = at ? ends[at - 1] : 0;
        ends[at] = (uint32_t)w->folder.len;
        places[at] = folder_order((span){w->folder.data + from, w->folder.len - from});
        of_group[g] = at++;
    }
    TRY_OUT(buffer_new(w->b->m, w->folder.len, &heap, err));
    memcpy(heap->data, w->folder.data, w->folder.len);
    heap->len = w->folder.len;
    TRY_OUT(vector_flat(w->b->m, &utf8, n, &names, err));
    names.len = n;
    TRY_OUT(vector_add_heap(&names, heap, &index, err));
    for (uint32_t i = 0; i < n; i++) {
        uint32_t from = i ? ends[i - 1] : 0;
        view v = view_make(heap->data + from, (int32_t)(ends[i] - from), index, (int32_t)from);
        memcpy(names.data + i * sizeof v, &v, sizeof v);
    }
    st = dict_new(w->b->m, &names, out, err);
out:
    vector_release(&names);
    buffer_unref(heap);
    mem_free(w->b->m, ends, n * sizeof *ends);
    return st;
}

/* For each row its folder's name and place in the order, as columns behind the written ones. */
static nrw_status put_folders(const work *w, const uint32_t *of_group, const uint64_t *places,
                              dict *names, const uint16_t *rows, uint32_t n, batch *to,
                              nrw_error *err)
{
    const type utf8 = type_of(TYPE_UTF8), word = type_of(TYPE_UINT64);
    uint32_t at = w->o->spec.written->n_fields;
    vector name, place;

    TRY(vector_dict(to->m, &utf8, names, n, &name, err));
    name.len = n;
    for (uint32_t i = 0; i < n; i++)
        store_u32(name.data + 4 * (size_t)i, of_group[w->groups.of_row[rows[i]]]);
    TRY(dense_put(to, at, &name, err));
    TRY(vector_flat(to->m, &word, n, &place, err));
    place.len = n;
    for (uint32_t i = 0; i < n; i++)
        store_u64(place.data + 8 * (size_t)i, places[of_group[w->groups.of_row[rows[i]]]]);
    return dense_put(to, at + 1, &place, err);
}

/* The rows of sorted groups. */
static nrw_status take_rest(work *w, uint32_t n_groups, uint16_t *rows, uint32_t n, batch *to,
                            nrw_error *err)
{
    size_t bytes = n_groups * sizeof(uint64_t) + w->groups.n * sizeof(uint32_t);
    uint64_t *places;
    uint32_t *of_group;
    dict *names = NULL;
    nrw_status st;
    void *p;

    TRY(mem_alloc(w->b->m, bytes, &p, err));
    places = p;
    of_group = (uint32_t *)(places + n_groups);
    TRY_OUT(rest_names(w, n_groups, of_group, places, &names, err));
    TRY_OUT(put_folders(w, of_group, places, names, rows, n, to, err));
    st = take_written(w, n < w->rows ? rows : NULL, n, to, err);
out:
    dict_unref(names);
    mem_free(w->b->m, p, bytes);
    return st;
}

static nrw_status open_sort(op_partition *o, nrw_error *err)
{
    uint32_t n = o->spec.written->n_fields;
    sort_order *order;
    type *types;

    TRY(arena_alloc(o->a, (n + 2) * sizeof *types, (void **)&types, err));
    TRY(arena_alloc(o->a, sizeof *order, (void **)&order, err));
    for (uint32_t c = 0; c < n; c++)
        types[c] = o->spec.written->fields[c].type;
    types[n] = type_of(TYPE_UTF8);
    types[n + 1] = type_of(TYPE_UINT64);
    *order = (sort_order){.column = n + 1};
    sort_spec s = {.n_columns = n + 2,
                   .types = types,
                   .n_orders = 1,
                   .orders = order,
                   .limit = UINT64_MAX,
                   .workers = o->spec.workers,
                   .memory = o->sort_memory,
                   .held = SIZE_MAX};
    return op_sort_new(o->a, o->m, &s, o->env.spill, &o->sort, err);
}

static nrw_status check_sortable(const op_partition *o, nrw_error *err)
{
    for (uint32_t c = 0; c < o->spec.written->n_fields; c++) {
        if (!type_is_nested(&o->spec.written->fields[c].type))
            continue;
        err_next(err, "give --memory more, or partition by fewer values");
        return err_set(err, NRW_E_UNSUPPORTED,
                       "more than %u partitions, and rows with nested columns cannot be sorted",
                       o->table.most);
    }
    return NRW_OK;
}

/* The sort, made when its first rows come: until then the writers have its memory, too. */
static nrw_status sort_of(op_partition *o, op **out, nrw_error *err)
{
    nrw_status st = NRW_OK;

    pthread_mutex_lock(&o->lock);
    if (!o->sort)
        st = check_sortable(o, err);
    if (!o->sort && st == NRW_OK)
        st = parquet_room_shrink(o->room, err);
    if (!o->sort && st == NRW_OK)
        st = open_sort(o, err);
    *out = o->sort;
    pthread_mutex_unlock(&o->lock);
    return st;
}

static nrw_status sort_rows(work *w, uint32_t n_groups, uint32_t n, nrw_error *err)
{
    op_partition *o = w->o;
    uint32_t columns = o->spec.written->n_fields + 2, at = 0;
    uint16_t *rows = w->order; /* not needed any more */
    batch b;
    op *sort;
    nrw_status st;

    TRY(sort_of(o, &sort, err));
    for (uint32_t i = 0; i < w->rows; i++)
        if (w->parts[w->groups.of_row[i]] == PART_NONE)
            rows[at++] = (uint16_t)i;
    TRY(dense_new(w->b, columns, n, &b, err));
    st = take_rest(w, n_groups, rows, n, &b, err);
    if (st == NRW_OK)
        st = sort->class->push(sort, &b, err);
    dense_free(&b, columns);
    return st;
}

static nrw_status push_rest(work *w, nrw_error *err)
{
    uint32_t groups = 0, rows = 0;

    for (uint32_t g = 0; g < w->groups.n; g++) {
        bool rest = w->parts[g] == PART_NONE;
        groups += rest;
        rows += rest ? w->groups.at[g].rows : 0;
    }
    return rows ? sort_rows(w, groups, rows, err) : NRW_OK;
}

/* ---- a batch ---- */

static size_t group_bytes(uint32_t n)
{
    return n * (sizeof(uint64_t) + 2 * sizeof(uint32_t));
}

static nrw_status write_groups(work *w, nrw_error *err)
{
    uint32_t n = w->groups.n;
    mem *m = w->b->m;
    nrw_status st;
    void *p;

    TRY(mem_alloc(m, group_bytes(n), &p, err));
    w->numbers = p;
    w->parts = (uint32_t *)(w->numbers + n);
    w->starts = w->parts + n;
    TRY_OUT(mem_alloc(m, w->rows * sizeof *w->order, (void **)&w->order, err));
    TRY_OUT(take_turn(w, err));
    order_rows(w);
    TRY_OUT(push_directs(w, err));
    st = push_rest(w, err);
out:
    mem_free(m, w->order, w->order ? w->rows * sizeof *w->order : 0);
    mem_free(m, w->numbers, group_bytes(n));
    return st;
}

static nrw_status flat_keys(work *w, nrw_error *err)
{
    const op_partition *o = w->o;

    for (uint32_t k = 0; k < o->spec.n_keys; k++)
        TRY(vector_flatten(&w->columns[o->key_at[k]], w->b->m, &w->keys[k], err));
    return NRW_OK;
}

static nrw_status write_rows(work *w, nrw_error *err)
{
    op_partition *o = w->o;
    nrw_status st;

    TRY(dense_take(w->b, o->taken, o->n_taken, o->spec.held, w->columns, err));
    w->rows = batch_alive(w->b);
    op_count(&o->base, w->rows, 0);
    st = flat_keys(w, err);
    if (st == NRW_OK)
        st = key_groups_make(&w->groups, w->keys, o->spec.n_keys, w->rows, err);
    if (st == NRW_OK)
        st = write_groups(w, err);
    key_groups_release(&w->groups);
    for (uint32_t k = 0; k < o->spec.n_keys; k++)
        vector_release(&w->keys[k]);
    for (uint32_t c = 0; c < o->n_taken; c++)
        vector_release(&w->columns[c]);
    bytes_release(&w->key);
    bytes_release(&w->folder);
    return st;
}

/* A batch without rows only lets the next morsel go on. */
static nrw_status pass_turn(op_partition *o, batch *b)
{
    if (!b->last)
        return NRW_OK;
    TRY(turn_wait(&o->turn, b->morsel));
    turn_done(&o->turn, b->morsel);
    return NRW_OK;
}

static nrw_status partition_push(op *base, batch *b, nrw_error *err)
{
    op_partition *o = (op_partition *)base;
    size_t bytes = (o->n_taken + o->spec.n_keys) * sizeof(vector);
    work w = {.o = o, .b = b, .groups.m = b->m};
    nrw_status st;

    if (!batch_alive(b))
        return pass_turn(o, b);
    w.key = w.folder = bytes_init(b->m, UINT32_MAX);
    TRY(mem_zalloc(b->m, bytes, (void **)&w.columns, err));
    w.keys = w.columns + o->n_taken;
    st = write_rows(&w, err);
    mem_free(b->m, w.columns, bytes);
    return st;
}

static void partition_stop(op *base)
{
    op_partition *o = (op_partition *)base;

    turn_stop(&o->turn);
    pthread_mutex_lock(&o->lock);
    for (uint32_t i = 0; i < o->table.n; i++)
        if (o->table.at[i].writer)
            o->table.at[i].writer->class->stop(o->table.at[i].writer);
    pthread_mutex_unlock(&o->lock);
}

/* ---- the end of direct files ---- */

/* Morsel i of this source is direct partition i, without rows: to have all workers at it. */
typedef struct ending {
    source from;
    op to;
    op_partition *o;
    uint64_t next;
} ending;

static nrw_status ending_next(source *s, batch *b, nrw_error *err)
{
    ending *e = (ending *)s;

    (void)err;
    if (e->next == e->o->table.n)
        return NRW_END;
    b->morsel = e->next++;
    return NRW_OK;
}

static nrw_status ending_fill(source *s, batch *b, nrw_error *err)
{
    (void)s;
    (void)err;
    b->last = true;
    return NRW_OK;
}

static bool cancelled(const op_partition *o)
{
    return o->spec.cancel && atomic_load_explicit(o->spec.cancel, memory_order_relaxed);
}

static nrw_status ending_push(op *base, batch *b, nrw_error *err)
{
    ending *e = (ending *)(void *)((char *)base - offsetof(ending, to));
    direct_part *p = &e->o->table.at[b->morsel];
    writer *w = p->writer;
    file_summary is;
    nrw_status st;

    if (cancelled(e->o))
        return err_set(err, NRW_E_CANCELLED, "interrupted");
    st = w->class->finish(w, &is, err);
    p->writer = NULL;
    w->class->close(w);
    return st;
}

static nrw_status finish_direct(op_partition *o, nrw_error *err)
{
    static const source_class from = {
        .name = "direct partitions", .next = ending_next, .fill = ending_fill};
    static const op_class to = {.name = "finish partitions", .push = ending_push};
    ending e = {.from = {&from, 0, false}, .to.class = &to, .o = o};
    pipeline p = {.source = &e.from,
                  .first = &e.to,
                  .batches = o->m,
                  .workers = o->spec.workers,
                  .limit = -1};

    return pipeline_run(&p, err);
}

/* ---- the list of files ---- */

static uint64_t order_of(const char *folder)
{
    return folder_order((span){(const uint8_t *)folder, strlen(folder)});
}

static int by_folder(const void *a, const void *b, void *self)
{
    const op_partition *o = self;
    uint64_t x = order_of(o->table.at[*(const uint32_t *)a].files.folder);
    uint64_t y = order_of(o->table.at[*(const uint32_t *)b].files.folder);

    return (x > y) - (x < y);
}

static nrw_status sort_names(op_partition *o, nrw_error *err)
{
    void *p;

    TRY(arena_alloc(o->a, o->table.most * sizeof *o->by_name, &p, err));
    o->by_name = p;
    for (uint32_t i = 0; i < o->table.n; i++)
        o->by_name[i] = i;
    qsort_r(o->by_name, o->table.n, sizeof *o->by_name, by_folder, o);
    return NRW_OK;
}

/* Direct partitions that stand before `folder` (NULL: all that are left). */
static nrw_status list_direct(op_partition *o, const char *folder, nrw_error *err)
{
    for (; o->listed < o->table.n; o->listed++) {
        const folder_files *f = &o->table.at[o->by_name[o->listed]].files;
        if (folder && order_of(f->folder) > order_of(folder))
            return NRW_OK;
        TRY(parquet_footers_append(o->files, f->footers, err));
    }
    return NRW_OK;
}

static nrw_status list_rest(void *self, const char *folder, const parquet_footers *f,
                            nrw_error *err)
{
    op_partition *o = self;

    TRY(list_direct(o, folder, err));
    return parquet_footers_append(o->files, f, err);
}

/* ---- the end of all others ---- */

static nrw_status write_rest(op_partition *o, op_rest *rest, nrw_error *err)
{
    pipeline p = {.source = op_sort_source(o->sort),
                  .first = &rest->base,
                  .batches = o->m,
                  .workers = o->spec.workers,
                  .limit = -1};

    TRY(o->sort->class->finish(o->sort, err));
    TRY(pipeline_run(&p, err));
    return op_rest_finish(rest, err);
}

static nrw_status finish_rest(op_partition *o, nrw_error *err)
{
    op_rest rest = {.m = o->m,
                    .env = &o->env,
                    .n_written = o->spec.written->n_fields,
                    .cancel = o->spec.cancel,
                    .listed = list_rest,
                    .self = o};
    nrw_status st;

    if (!o->sort)
        return NRW_OK;
    TRY(parquet_room_new(o->m, o->env.spill, o->spec.written, o->spec.options, o->spec.workers,
                         o->spec.memory - o->sort_memory, 0, 2 * o->spec.workers + 1, &o->room,
                         err));
    rest.room = o->room;
    op_rest_init(&rest);
    st = write_rest(o, &rest, err);
    op_rest_release(&rest);
    return st;
}

static nrw_status partition_finish(op *base, nrw_error *err)
{
    op_partition *o = (op_partition *)base;

    TRY(finish_direct(o, err));
    parquet_room_close(o->room);
    o->room = NULL;
    TRY(sort_names(o, err));
    TRY(finish_rest(o, err));
    return list_direct(o, NULL, err);
}

/* ---- life ---- */

static void partition_close(op *base)
{
    op_partition *o = (op_partition *)base;
    mem *m = o->m;

    part_table_release(&o->table);
    parquet_room_close(o->room);
    op_close(o->sort);
    parquet_footers_free(o->files);
    arena_free(o->a);
    pthread_mutex_destroy(&o->env.lock);
    pthread_mutex_destroy(&o->lock);
    mem_free(m, o, sizeof *o);
    mem_free_account(m);
}

static uint32_t taken_place(op_partition *o, uint32_t column)
{
    uint32_t i = 0;

    while (i < o->n_taken && o->taken[i] != column)
        i++;
    if (i == o->n_taken)
        o->taken[o->n_taken++] = column;
    return i;
}

static nrw_status plan_columns(op_partition *o, nrw_error *err)
{
    uint32_t keys = o->spec.n_keys, written = o->spec.written->n_fields;
    void *p;

    TRY(arena_alloc(o->a, 2 * ((size_t)keys + written) * sizeof(uint32_t), &p, err));
    o->taken = p;
    o->key_at = o->taken + keys + written;
    o->written_at = o->key_at + keys;
    for (uint32_t i = 0; i < keys; i++)
        o->key_at[i] = taken_place(o, o->spec.keys[i]);
    for (uint32_t i = 0; i < written; i++)
        o->written_at[i] = taken_place(o, o->spec.columns[i]);
    return NRW_OK;
}

static uint32_t direct_most(const partition_spec *s)
{
    struct rlimit files;
    uint64_t most = MOST_DIRECT;

    if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur != RLIM_INFINITY) {
        uint64_t left = files.rlim_cur > FILES_APART ? files.rlim_cur - FILES_APART : 0;
        most = left / FILES_EACH < most ? left / FILES_EACH : most;
    }
    if (s->direct && s->direct < most)
        most = s->direct;
    return most ? (uint32_t)most : 1;
}

static nrw_status open_direct(op_partition *o, nrw_error *err)
{
    uint32_t most = direct_most(&o->spec), writers;
    uint64_t lists = (uint64_t)most * EACH_LEAST, memory = o->spec.memory;
    uint64_t part = memory / 16;

    lists = lists < part ? lists : part;
    most = lists / EACH_LEAST ? (uint32_t)(lists / EACH_LEAST) : 1;
    TRY(parquet_room_new(o->m, o->env.spill, o->spec.written, o->spec.options, o->spec.workers,
                         memory - lists, o->sort_memory, most, &o->room, err));
    writers = parquet_room_writers(o->room);
    return part_table_open(&o->table, o->m, writers < most ? writers : most, err);
}

static nrw_status check_spec(const partition_spec *s, nrw_error *err)
{
    if (!s->n_keys || s->n_keys > PARTITION_MAX_KEYS)
        return err_set(err, NRW_E_ARG, "%u partition keys, 1 to %d are possible", s->n_keys,
                       PARTITION_MAX_KEYS);
    for (uint32_t k = 0; k < s->n_keys; k++)
        if (type_is_nested(&s->key_fields[k].type)) {
            err_at_column(err, s->key_fields[k].name);
            return err_set(err, NRW_E_UNSUPPORTED, "a nested column cannot name folders");
        }
    return NRW_OK;
}

static uint64_t sort_least(uint32_t workers)
{
    return workers * ((uint64_t)SORT_LEAST << 10);
}

nrw_status op_partition_budget(const schema *written, const pq_write_options *opts,
                               uint32_t workers, budget *out, nrw_error *err)
{
    uint64_t lists;

    workers = workers ? workers : 1;
    TRY(parquet_room_budget(written, opts, workers, WISH_DIRECT, out, err));
    lists = out->least / 8 + 64 * EACH_LEAST;
    out->least += sort_least(workers) + lists;
    out->wish += sort_least(workers) + lists + 32 * MIB;
    return NRW_OK;
}

static nrw_status open_parts(op_partition *o, nrw_error *err)
{
    budget b;

    TRY(op_partition_budget(o->spec.written, o->spec.options, o->spec.workers, &b, err));
    if (o->spec.memory < b.least)
        return err_set(err, NRW_E_MEMLIMIT,
                       "writing partitions takes at least %llu bytes, %llu are left",
                       (unsigned long long)b.least, (unsigned long long)o->spec.memory);
    o->sort_memory = sort_least(o->spec.workers) + (o->spec.memory - b.least) / 4;
    TRY(arena_new(o->m, &o->a, err));
    TRY(plan_columns(o, err));
    TRY(parquet_footers_new(o->m, o->env.spill, o->spec.row_groups, &o->files, err));
    return open_direct(o, err);
}

nrw_status op_partition_new(mem *m, const partition_spec *spec, spill *s, op **out, nrw_error *err)
{
    static const op_class class = {.name = "partition",
                                   .push = partition_push,
                                   .finish = partition_finish,
                                   .stop = partition_stop,
                                   .close = partition_close};
    mem *own;
    op_partition *o;
    nrw_status st;

    *out = NULL;
    TRY(check_spec(spec, err));
    TRY(mem_child(m, "partition", MEM_NO_LIMIT, &own, err));
    st = mem_zalloc(own, sizeof *o, (void **)&o, err);
    if (st < 0) {
        mem_free_account(own);
        return st;
    }
    o->base.class = &class;
    o->m = own;
    o->spec = *spec;
    o->spec.workers = spec->workers ? spec->workers : 1;
    o->env = (files_env){.m = own,
                         .spill = s,
                         .maker = spec->maker,
                         .names = &o->spec.names,
                         .file_bytes = spec->file_bytes,
                         .file_groups = spec->file_groups,
                         .row_groups = spec->row_groups};
    pthread_mutex_init(&o->env.lock, NULL);
    pthread_mutex_init(&o->lock, NULL);
    turn_init(&o->turn);
    st = open_parts(o, err);
    if (st < 0)
        partition_close(&o->base);
    else
        *out = &o->base;
    return st;
}

uint32_t op_partition_direct(const op *o)
{
    return ((const op_partition *)o)->table.most;
}

const parquet_footers *op_partition_files(const op *o)
{
    return ((const op_partition *)o)->files;
}
