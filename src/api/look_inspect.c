/* inspect: what the metadata say. Several files: a line each; one: its columns. */
#include "api/look_table.h"

#include "base/text.h"
#include "codec/codec.h"
#include "format/formats.h"
#include "format/parquet/inspect.h"

#include <stdio.h>
#include <string.h>

static const char *codec_name(int id)
{
    const codec *c = codec_by_id(id);

    return c ? c->name : "unknown";
}

/* Left open for more. */
static nrw_status header_json(look *l, const pq_file_info *i, nrw_error *err)
{
    TRY(bytes_printf(&l->line, err, "{\"file\":"));
    TRY(look_json_string(l, i->name, strlen(i->name), err));
    TRY(bytes_printf(&l->line, err,
                     ",\"rows\":%lld,\"n_row_groups\":%d,\"n_columns\":%u,\"bytes\":%llu,"
                     "\"compressed\":%lld,\"uncompressed\":%lld,\"footer_bytes\":%llu,"
                     "\"format_version\":%d,\"created_by\":",
                     (long long)i->rows, i->row_groups, i->columns, (unsigned long long)i->bytes,
                     (long long)i->compressed, (long long)i->uncompressed,
                     (unsigned long long)i->footer_bytes, i->version));
    TRY(i->created_by ? look_json_string(l, i->created_by, strlen(i->created_by), err)
                      : bytes_printf(&l->line, err, "null"));
    TRY(bytes_printf(&l->line, err, ",\"codecs\":["));
    for (int c = 0, n = 0; c < 32; c++)
        if (i->codecs >> c & 1)
            TRY(bytes_printf(&l->line, err, "%s\"%s\"", n++ ? "," : "", codec_name(c)));
    TRY(bytes_printf(&l->line, err, "]"));
    return look_flush_line(l, err);
}

/* ---- tables of one file ---- */

typedef struct place {
    look_table *t;
    const pq_meta *meta;
} place;

static void value_cell(look_table *t, const pq_leaf *leaf, bool has, span value)
{
    char text[80];

    if (!has) {
        look_cell_none(t);
        return;
    }
    pq_value_print(leaf, value, text, sizeof text);
    look_cell_value(t, text);
}

static const look_column column_columns[] = {{"column", "name", false},
                                             {"type", "type", false},
                                             {"physical", "physical", false},
                                             {"codec", "codecs", false},
                                             {"encodings", "encodings", false},
                                             {"compressed", "compressed", true},
                                             {"encoded", "uncompressed", true},
                                             {"nulls", "nulls", true},
                                             {"min", "min", false},
                                             {"max", "max", false},
                                             {"index", NULL, false},
                                             {NULL, "offset_indexes", false},
                                             {NULL, "column_indexes", false},
                                             {NULL, "bloom_filters", false},
                                             {NULL, "text_bytes", true},
                                             {NULL, "repetition_levels", false},
                                             {NULL, "definition_levels", false}};

/* Of row groups that have one: "page", "page bloom". */
static void index_cell(look_table *t, const pq_column_info *c)
{
    char text[32];

    snprintf(text, sizeof text, "%s%s%s", c->offset_indexes ? "page" : "",
             c->offset_indexes && c->bloom_filters ? " " : "", c->bloom_filters ? "bloom" : "");
    look_cell_text(t, *text ? text : "-");
}

static nrw_status column_row(void *self, const pq_column_info *c, nrw_error *err)
{
    look_table *t = ((place *)self)->t;
    char name[128];

    (void)err;
    look_cell_text(t, c->column->path);
    if (c->column->nested && c->column->logical && *c->column->logical) {
        look_cell_text(t, c->column->logical);
    } else {
        type_print(&c->column->field.type, name, sizeof name);
        look_cell_text(t, name);
    }
    look_cell_text(t, pq_physical_name((int)c->column->physical));
    look_cell_bits(t, c->codecs, codec_name);
    look_cell_bits(t, c->encodings, pq_encoding_name);
    look_cell_size(t, (uint64_t)c->compressed);
    look_cell_size(t, (uint64_t)c->uncompressed);
    look_cell_maybe(t, c->nulls);
    value_cell(t, c->column, c->has_min, c->min);
    value_cell(t, c->column, c->has_max, c->max);
    index_cell(t, c);
    look_cell_int(t, c->offset_indexes);
    look_cell_int(t, c->column_indexes);
    look_cell_int(t, c->bloom_filters);
    look_cell_maybe(t, c->text_bytes);
    look_cell_ints(t, c->level_counts[0], c->n_level_counts[0]);
    look_cell_ints(t, c->level_counts[1], c->n_level_counts[1]);
    return t->st;
}

static const look_column group_columns[] = {
    {"row group", "row_group", true},  {"rows", "rows", true},
    {"first row", "first_row", true},  {"compressed", "compressed", true},
    {"encoded", "uncompressed", true}, {"codec", "codecs", false},
    {"from byte", "start", true},      {"to byte", "end", true},
    {"sorted by", "sorting", false}};

static void sorting_cell(look_table *t, const pq_meta *meta, const pq_group_info *g)
{
    char text[400] = "";
    size_t n = 0;

    for (uint32_t i = 0; i < g->n_sorting && n < sizeof text - 120; i++) {
        const pq_sorting *s = &g->sorting[i];
        bool known = s->column >= 0 && (uint32_t)s->column < pq_meta_leaves(meta);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%.80s%s%s", i ? ", " : "",
                              known ? pq_meta_leaf(meta, (uint32_t)s->column)->path : "?",
                              s->descending ? " desc" : "", s->nulls_first ? " nulls first" : "");
    }
    if (n)
        look_cell_text(t, text);
    else
        look_cell_none(t);
}

static nrw_status group_row(void *self, const pq_group_info *g, nrw_error *err)
{
    look_table *t = ((place *)self)->t;

    (void)err;
    look_cell_int(t, g->row_group);
    look_cell_int(t, g->rows);
    look_cell_int(t, g->first_row);
    look_cell_size(t, (uint64_t)g->compressed);
    look_cell_size(t, (uint64_t)g->uncompressed);
    look_cell_bits(t, g->codecs, codec_name);
    look_cell_int(t, g->start);
    look_cell_int(t, g->end);
    sorting_cell(t, ((place *)self)->meta, g);
    return t->st;
}

static const look_column page_columns[] = {{"row group", "row_group", true},
                                           {"column", "column", false},
                                           {"page", "page", true},
                                           {"kind", "kind", false},
                                           {"byte", "offset", true},
                                           {"values", "values", true},
                                           {"first row", "first_row", true},
                                           {"encoding", "encoding", false},
                                           {"compressed", "compressed", true},
                                           {"encoded", "uncompressed", true},
                                           {"checksum", "checksum", false},
                                           {"nulls", "nulls", true},
                                           {"min", "min", false},
                                           {"max", "max", false}};

static nrw_status page_row(void *self, const pq_page_info *i, nrw_error *err)
{
    look_table *t = ((place *)self)->t;

    (void)err;
    look_cell_int(t, i->row_group);
    look_cell_text(t, i->column->path);
    look_cell_maybe(t, i->ordinal);
    look_cell_text(t, pq_page_type_name((int)i->page.type));
    look_cell_int(t, i->offset);
    look_cell_int(t, i->page.n_values);
    look_cell_maybe(t, i->first_row);
    look_cell_text(t, pq_encoding_name((int)i->page.encoding));
    look_cell_size(t, (uint64_t)i->page.compressed);
    look_cell_size(t, (uint64_t)i->page.uncompressed);
    look_cell_bool(t, i->page.has_crc);
    look_cell_maybe(t, i->nulls);
    value_cell(t, i->column, i->has_min, i->min);
    value_cell(t, i->column, i->has_max, i->max);
    return t->st;
}

/* ---- metadata ---- */

static nrw_status key_values(look *l, const look_file *f, nrw_error *err)
{
    static const look_column columns[] = {{"key", "key", false}, {"value", "value", false}};
    look_table t = look_table_of(l, columns, 2, err);
    pq_key_value *kv;
    arena *a;
    uint32_t n;
    nrw_status st;

    TRY(arena_new(l->job->root, &a, err));
    st = pq_meta_key_values(f->meta, a, &n, &kv, err);
    t.inside = true;
    t.bare = n == 0;
    for (uint32_t i = 0; st >= 0 && i < n; i++) {
        look_cell_text(&t, kv[i].key);
        if (kv[i].value)
            look_cell_bytes(&t, (span){(const uint8_t *)kv[i].value, kv[i].value_len});
        else
            look_cell_none(&t);
    }
    if (st >= 0)
        st = t.st;
    t.st = st;
    st = look_table_end(&t);
    arena_free(a);
    return st;
}

static nrw_status schema_tree(look *l, const look_file *f, nrw_error *err)
{
    bytes text = bytes_init(l->job->root, (size_t)64 << 20);
    nrw_status st = pq_meta_schema_text(f->meta, &text, err);

    if (st >= 0 && l->json) {
        st = bytes_printf(&l->line, err, ",\"schema\":");
        if (st >= 0)
            st = look_json_string(l, (const char *)text.data, text.len, err);
        if (st >= 0)
            st = look_flush_line(l, err);
    } else if (st >= 0) {
        st = look_write(l, text.data, text.len, err);
    }
    bytes_release(&text);
    return st;
}

/* ---- one file ---- */

typedef struct part {
    const char *option, *key;
    const look_column *columns;
    uint32_t n;
} part;

static const part parts[] = {{"columns", "columns", column_columns, 17},
                             {"row-groups", "row_groups", group_columns, 9},
                             {"pages", "pages", page_columns, 14},
                             {"metadata", "metadata", NULL, 0}};
enum { PART_COLUMNS, PART_GROUPS, PART_PAGES, PART_METADATA, N_PARTS };

static nrw_status print_part(look *l, const look_file *f, int which, nrw_error *err)
{
    look_table t;
    place p = {&t, f->meta};
    nrw_status st = NRW_OK;

    if (which == PART_METADATA)
        return key_values(l, f, err);
    t = look_table_of(l, parts[which].columns, parts[which].n, err);
    t.inside = true;
    if (which == PART_COLUMNS)
        st = pq_inspect_columns(f->meta, l->job->root, column_row, &p, err);
    else if (which == PART_GROUPS)
        st = pq_inspect_groups(f->meta, l->job->root, group_row, &p, err);
    else
        st = pq_inspect_pages(f->meta, l->job->root, page_row, &p, err);
    if (st < 0)
        t.st = st;
    return look_table_end(&t);
}

static nrw_status header_text(look *l, const pq_file_info *i, nrw_error *err)
{
    char rows[TEXT_NUMBER], groups[TEXT_NUMBER], size[TEXT_NUMBER], footer[TEXT_NUMBER];

    TRY(look_printf(l, err, "%s: %s rows, %s row group%s, %u columns, %s", i->name,
                    text_group((uint64_t)i->rows, rows),
                    text_group((uint64_t)i->row_groups, groups), i->row_groups == 1 ? "" : "s",
                    i->columns, text_size10(i->bytes, size)));
    for (int c = 0; c < 32; c++)
        if (i->codecs >> c & 1)
            TRY(look_printf(l, err, " %s", codec_name(c)));
    return look_printf(l, err, "\nwritten by %s, format version %d, footer %s\n\n",
                       i->created_by ? i->created_by : "an unnamed writer", i->version,
                       text_size10(i->footer_bytes, footer));
}

static nrw_status json_file(look *l, const look_file *f, const pq_file_info *info,
                            const bool *wanted, nrw_error *err)
{
    TRY(header_json(l, info, err));
    for (int i = 0; i < N_PARTS; i++) {
        if (!wanted[i])
            continue;
        TRY(look_printf(l, err, ",\"%s\":[", parts[i].key));
        TRY(print_part(l, f, i, err));
        TRY(look_printf(l, err, "]"));
        if (i == PART_METADATA)
            TRY(schema_tree(l, f, err));
    }
    return look_printf(l, err, "}\n");
}

static nrw_status text_file(look *l, const look_file *f, const pq_file_info *info,
                            const bool *wanted, nrw_error *err)
{
    bool first = true;

    TRY(header_text(l, info, err));
    for (int i = 0; i < N_PARTS; i++) {
        if (!wanted[i])
            continue;
        if (!first)
            TRY(look_printf(l, err, "\n"));
        first = false;
        if (i == PART_METADATA) {
            TRY(schema_tree(l, f, err));
            TRY(look_printf(l, err, "\n"));
        }
        TRY(print_part(l, f, i, err));
    }
    return NRW_OK;
}

/* A file: of Parquet its metadata, of other formats a reader. */
typedef struct opened {
    look_file parquet;
    reader *other; /* NULL: it is Parquet */
} opened;

/* Opened once, for what comes through a pipe comes once. */
static nrw_status open_any(look *l, const char *path, opened *out, nrw_error *err)
{
    nrw_error ignored = NRW_ERROR_INIT;
    const format *f;
    io_file *file;

    *out = (opened){0};
    TRY(file_open(l->job->root, path, job_last(l->job, "spill-dir"), &file, err));
    if (format_of(file, &f, &ignored) < 0 || f == format_at(0))
        return look_meta(l, path, file, &out->parquet, err);
    return job_read_file(l->job, file, &out->other, err);
}

static void close_any(opened *o)
{
    look_close(&o->parquet);
    if (o->other)
        o->other->class->close(o->other);
}

static nrw_status parquet_file(look *l, const look_file *f, const bool *wanted, nrw_error *err)
{
    pq_file_info info;

    TRY(pq_inspect_file(f->meta, l->job->root, &info, err));
    return l->json ? json_file(l, f, &info, wanted, err) : text_file(l, f, &info, wanted, err);
}

static nrw_status one_file(look *l, const char *path, const bool *wanted, nrw_error *err)
{
    nrw_status st;
    opened o;

    TRY(open_any(l, path, &o, err));
    st = o.other ? look_facts(l, path, o.other, wanted[PART_COLUMNS], err)
                 : parquet_file(l, &o.parquet, wanted, err);
    if (st < 0 && st != NRW_E_PIPE)
        err_at_object(err, path);
    close_any(&o);
    return st;
}

/* ---- several files ---- */

static const look_column parquet_columns[] = {{"file", NULL, false},      {"rows", NULL, true},
                                              {"row groups", NULL, true}, {"columns", NULL, true},
                                              {"bytes", NULL, true},      {"codec", NULL, false},
                                              {"written by", NULL, false}};

/* Parts are row groups, record batches or blocks. */
static const look_column mixed_columns[] = {
    {"file", NULL, false},   {"format", NULL, false}, {"rows", NULL, true},  {"parts", NULL, true},
    {"columns", NULL, true}, {"bytes", NULL, true},   {"codec", NULL, false}};

static void parquet_row(look_table *t, const pq_file_info *i, bool mixed)
{
    look_cell_text(t, i->name);
    if (mixed)
        look_cell_text(t, "parquet");
    look_cell_int(t, i->rows);
    look_cell_int(t, i->row_groups);
    look_cell_int(t, i->columns);
    look_cell_size(t, i->bytes);
    look_cell_bits(t, i->codecs, codec_name);
    if (mixed)
        return;
    if (i->created_by)
        look_cell_text(t, i->created_by);
    else
        look_cell_none(t);
}

static nrw_status parquet_line(look *l, look_table *t, const look_file *f, bool mixed,
                               nrw_error *err)
{
    pq_file_info info;

    TRY(pq_inspect_file(f->meta, l->job->root, &info, err));
    if (!l->json) {
        parquet_row(t, &info, mixed);
        return NRW_OK;
    }
    TRY(header_json(l, &info, err));
    return look_printf(l, err, "}\n");
}

static nrw_status other_line(look *l, look_table *t, const char *path, reader *r, nrw_error *err)
{
    return l->json ? look_facts(l, path, r, false, err) : look_facts_row(t, path, r, err);
}

static nrw_status file_line(look *l, look_table *t, const char *path, bool mixed, nrw_error *err)
{
    nrw_status st;
    opened o;

    TRY(open_any(l, path, &o, err));
    st =
        o.other ? other_line(l, t, path, o.other, err) : parquet_line(l, t, &o.parquet, mixed, err);
    if (st < 0 && st != NRW_E_PIPE)
        err_at_object(err, path);
    close_any(&o);
    return st;
}

/* Whether the file may be of another format than Parquet: of a pipe, nobody looks before. */
static nrw_status may_differ(look *l, const char *path, bool *differs, nrw_error *err)
{
    nrw_error ignored = NRW_ERROR_INIT;
    const format *f;
    io_file *file;

    *differs = strcmp(path, "-") == 0;
    if (*differs)
        return NRW_OK;
    TRY(file_open(l->job->root, path, job_last(l->job, "spill-dir"), &file, err));
    *differs = format_of(file, &f, &ignored) >= 0 && f != format_at(0);
    file_close(file);
    return NRW_OK;
}

static nrw_status files(look *l, nrw_error *err)
{
    bool mixed = false;
    look_table t;

    for (size_t i = 0; i < l->files.n && !mixed; i++)
        TRY(may_differ(l, l->files.at[i], &mixed, err));
    t = look_table_of(l, mixed ? mixed_columns : parquet_columns, 7, err);
    for (size_t i = 0; i < l->files.n && t.st >= 0; i++) {
        nrw_status st = file_line(l, &t, l->files.at[i], mixed, err);
        t.st = st < 0 ? st : t.st;
    }
    return look_table_end(&t);
}

nrw_status look_inspect(look *l, nrw_error *err)
{
    bool wanted[N_PARTS], any = false;

    for (int i = 0; i < N_PARTS; i++) {
        wanted[i] = job_switch(l->job, parts[i].option, false);
        any |= wanted[i];
    }
    if (!any && l->files.n > 1)
        return files(l, err);
    wanted[PART_COLUMNS] |= !any;
    for (size_t i = 0; i < l->files.n; i++) {
        if (i && !l->json)
            TRY(look_printf(l, err, "\n"));
        TRY(one_file(l, l->files.at[i], wanted, err));
    }
    return NRW_OK;
}
