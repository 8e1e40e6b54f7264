/* Rows of a batch that have no direct partition: see op_partition.c. */
#include "exec/dense.h"
#include "exec/op_sort.h"
#include "exec/partition_own.h"

/* The rows of a slice that are sorted. */
typedef struct slice {
    part_work *w;
    uint32_t first, n_rows, n_groups;
    uint16_t *rows;     /* of the batch */
    uint64_t *places;   /* of a group that is sorted: of its folder in the order */
    uint16_t *of_group; /* which of these a group is */
} slice;

/* Folders' names of the groups that are sorted, and their places. */
static nrw_status name_groups(slice *s, dict **out, nrw_error *err)
{
    part_work *w = s->w;
    uint32_t n = s->n_groups;
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
        if (w->of_group[g] != PART_SORTED)
            continue;
        TRY_OUT(key_groups_folder(&w->groups, g, w->o->spec.key_fields, &w->folder, err));
        uint32_t from = at ? ends[at - 1] : 0;
        ends[at] = (uint32_t)w->folder.len;
        s->places[at] = folder_order((span){w->folder.data + from, w->folder.len - from});
        s->of_group[g] = (uint16_t)at++;
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

static uint32_t group_of(const slice *s, uint32_t i)
{
    return s->of_group[s->w->groups.of_row[s->rows[i] - s->first]];
}

/* For each row its folder's name and place in the order, as columns behind the written ones. */
static nrw_status put_folders(const slice *s, dict *names, batch *to, nrw_error *err)
{
    const type utf8 = type_of(TYPE_UTF8), word = type_of(TYPE_UINT64);
    uint32_t at = s->w->o->spec.written->n_fields, n = s->n_rows;
    vector name, place;

    TRY(vector_dict(to->m, &utf8, names, n, &name, err));
    name.len = n;
    for (uint32_t i = 0; i < n; i++)
        store_u32(name.data + 4 * (size_t)i, group_of(s, i));
    TRY(dense_put(to, at, &name, err));
    TRY(vector_flat(to->m, &word, n, &place, err));
    place.len = n;
    for (uint32_t i = 0; i < n; i++)
        store_u64(place.data + 8 * (size_t)i, s->places[group_of(s, i)]);
    return dense_put(to, at + 1, &place, err);
}

static nrw_status take_rows(slice *s, batch *to, nrw_error *err)
{
    part_work *w = s->w;
    size_t bytes = s->n_groups * sizeof *s->places + w->groups.n * sizeof *s->of_group;
    dict *names = NULL;
    nrw_status st;
    void *p;

    TRY(mem_alloc(w->b->m, bytes, &p, err));
    s->places = p;
    s->of_group = (uint16_t *)(s->places + s->n_groups);
    TRY_OUT(name_groups(s, &names, err));
    TRY_OUT(put_folders(s, names, to, err));
    st = part_take(w, s->n_rows < w->rows ? s->rows : NULL, s->n_rows, to, err);
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
                   .merging = sort_merging(o->sort_memory),
                   .held = SIZE_MAX};
    return op_sort_new(o->a, o->m, &s, o->env.spill, &o->sort, err);
}

/* The sort, made when its first rows come: until then the writers have its memory, too. */
static nrw_status sort_of(op_partition *o, op **out, nrw_error *err)
{
    nrw_status st = NRW_OK;

    pthread_mutex_lock(&o->lock);
    if (!o->sort)
        st = parquet_room_shrink(o->room, err);
    if (!o->sort && st == NRW_OK)
        st = open_sort(o, err);
    *out = o->sort;
    pthread_mutex_unlock(&o->lock);
    return st;
}

static nrw_status sort_slice(slice *s, op *sort, nrw_error *err)
{
    part_work *w = s->w;
    uint32_t columns = w->o->spec.written->n_fields + 2;
    batch b;
    nrw_status st;

    TRY(dense_new(w->b, columns, s->n_rows, &b, err));
    b.offset += s->first;
    st = take_rows(s, &b, err);
    if (st == NRW_OK)
        st = sort->class->push(sort, &b, err);
    dense_free(&b, columns);
    return st;
}

/* Which of the slice's groups and rows are sorted. */
static void find_sorted(slice *s, uint32_t end)
{
    part_work *w = s->w;

    for (uint32_t i = s->first; i < end; i++) {
        w->of_group[w->groups.of_row[i - s->first]] = w->of_row[i];
        if (w->of_row[i] == PART_SORTED)
            s->rows[s->n_rows++] = (uint16_t)i;
    }
    for (uint32_t g = 0; g < w->groups.n; g++)
        s->n_groups += w->of_group[g] == PART_SORTED;
}

nrw_status partition_sort(part_work *w, nrw_error *err)
{
    op *sort;

    TRY(sort_of(w->o, &sort, err));
    for (uint32_t first = 0, end; first < w->rows; first = end) {
        slice s = {.w = w, .first = first, .rows = w->order};
        TRY(part_slice(w, first, &end, err));
        find_sorted(&s, end);
        if (s.n_rows)
            TRY(sort_slice(&s, sort, err));
    }
    return NRW_OK;
}
