/* Where the rows of a run go, from a job's words to what is published: a format and its options
 * (output_formats.c), a file, a stream or a dataset, and the operator that leads there. */
#ifndef API_OUTPUT_H
#define API_OUTPUT_H

#include "api/job.h"
#include "exec/op_write.h"
#include "exec/room.h"
#include "format/arrow/arrow.h"
#include "format/avro/avro.h"
#include "format/parquet/column_write.h"
#include "format/text/text.h"

typedef struct output output;
typedef struct output_set output_set; /* a dataset (output_set.c) */

/* Rows that come, at most. */
typedef struct output_rows {
    room_rows rows;
    uint64_t batches;
    const uint64_t *distinct; /* values of each column, about; UINT64_MAX: nobody knows */
} output_rows;

/* What differs between a file or stream and a dataset; rows as the functions below. */
typedef struct output_class {
    nrw_status (*columns)(output *o, const schema *s, nrw_error *err); /* sets o->schema */
    nrw_status (*budget)(const output *o, uint32_t workers, budget *out, nrw_error *err);
    nrw_status (*spill)(const output *o, uint32_t workers, uint64_t memory, const output_rows *r,
                        uint64_t *out, nrw_error *err);
    void (*describe)(const output *o, plan_step *s);
    nrw_status (*stage)(output *o, nrw_error *err);
    nrw_status (*open)(output *o, mem *grant, uint32_t workers, nrw_error *err);
    nrw_status (*finish)(output *o, file_summary *out, nrw_error *err);
    nrw_status (*publish)(output *o, nrw_error *err);
    void (*close)(output *o); /* its writer is closed */
} output_class;

/* A format that can be written. */
typedef struct output_format {
    const char *name, *title;
    const char *extensions[4]; /* with the dot */
    bool binary;               /* does not go to a terminal */
    bool parquet;
    bool appends;      /* rows can be added to a file of it */
    const char *words; /* options of the group "write" that it takes beside those of any format,
                          between spaces; NULL: all but those of others */
    text_kind text;    /* of those that are text */
    /* From the job's words, for columns s; c: what the input brings along. */
    nrw_status (*options)(output *o, const schema *s, const carried *c, nrw_error *err);
    nrw_status (*budget)(const output *o, uint32_t workers, budget *out, nrw_error *err);
    /* What each worker holds of a batch beside the writer's share; NULL: the format takes column
     * by column. */
    budget (*held)(const output *o);
    nrw_status (*open)(output *o, mem *grant, uint32_t workers, nrw_error *err);
} output_format;

/* The files that rows come from, by number; NULL behind the last. */
typedef struct output_inputs {
    const void *self;
    const char *(*at)(const void *self, uint64_t i);
} output_inputs;

/* What comes, about: what a writer wishes for beyond its least follows from it. UINT64_MAX: nobody
 * knows. */
typedef struct output_flow {
    uint64_t rows;
    uint64_t stored;  /* bytes of all values as files have them, compressed */
    uint64_t folders; /* of a dataset with keys: at most */
} output_flow;

struct output {
    const output_class *class; /* NULL: not chosen yet */
    nrw_job *job;
    const char *name; /* as typed */
    on_exists on_exists;
    const output_format *format;
    pq_write_options write;
    text_options text;
    avro_write_options avro;
    avro_append append; /* what avro.append leads to */
    arrow_write_options arrow;
    const schema *schema; /* of what is written */
    size_t held;          /* bytes of a column's piece; set by who opens it */
    output_set *set;      /* NULL: a single file or stream */
    uint32_t n_keys;      /* of a dataset: columns that make its folders; set before the options */
    const uint32_t *keys;
    output_flow flow;     /* set before output_budget */
    output_inputs inputs; /* these two tell what a dataset is made of; set before it is staged */
    span query;
    target *target;
    bool lent; /* the target is */
    writer *writer;
    op_write to;
    op *sink; /* where rows go, once it is open */
};

/* The format called so, or of the file's name; NULL: there is none. */
const output_format *output_format_named(const char *name);
const output_format *output_format_of(const char *path);
/* For rows on a terminal, and in a pipe. */
const output_format *output_format_plain(bool terminal);

/* A level of --compression. */
nrw_status job_codec_level(const char *text, const codec *c, int *out, nrw_error *err) NRW_CHECKED;
/* The same where a level of a codec without levels is refused. */
nrw_status output_level(const char *text, const codec *c, int *out, nrw_error *err) NRW_CHECKED;

/* The codecs of a format that has one for all columns. */
typedef struct output_codecs {
    const char *format, *names;
    const char *why_one; /* why a column cannot have its own */
    const codec *(*find)(const char *name);
    bool none; /* "none" is no codec */
} output_codecs;

/* --compression NAME[:LEVEL]; *out NULL: none. */
nrw_status output_codec(const output_codecs *all, const char *word, const codec **out, int *level,
                        nrw_error *err) NRW_CHECKED;

/* Arrow: output_arrow.c. */
nrw_status output_arrow_words(output *o, const schema *s, const carried *c,
                              nrw_error *err) NRW_CHECKED;
nrw_status output_arrow_room(const output *o, uint32_t workers, budget *out,
                             nrw_error *err) NRW_CHECKED;
budget output_arrow_held(const output *o);
nrw_status output_arrow_begin(output *o, mem *grant, uint32_t workers, nrw_error *err) NRW_CHECKED;
/* Avro: output_avro.c. */
nrw_status output_avro_words(output *o, const schema *s, const carried *c,
                             nrw_error *err) NRW_CHECKED;
nrw_status output_avro_room(const output *o, uint32_t workers, budget *out,
                            nrw_error *err) NRW_CHECKED;
budget output_avro_held(const output *o);
nrw_status output_avro_begin(output *o, mem *grant, uint32_t workers, nrw_error *err) NRW_CHECKED;

/* Name, format and what to do where it exists. */
nrw_status output_choose(output *o, nrw_job *job, nrw_error *err) NRW_CHECKED;
/* A file of a dataset that somebody else publishes: `t`, which stays theirs, is its target. */
void output_choose_file(output *o, nrw_job *job, const char *name, target *t);
/* The options of the format, for columns s, which outlive it; c: NULL: nothing is carried. */
nrw_status output_options(output *o, const schema *s, const carried *c, nrw_error *err) NRW_CHECKED;
nrw_status output_budget(const output *o, uint32_t workers, budget *out,
                         nrw_error *err) NRW_CHECKED;
/* Bytes that go to the spill file at most with so much memory. */
nrw_status output_spill(const output *o, uint32_t workers, uint64_t memory, const output_rows *r,
                        uint64_t *out, nrw_error *err) NRW_CHECKED;
pq_flow output_pq_flow(const output *o, const output_rows *r);
/* What each worker holds of a batch under way. */
budget output_held(const output *o);
/* The target, before anything is read. NRW_END: it exists and is left as it is. */
nrw_status output_stage(output *o, nrw_error *err) NRW_CHECKED;
/* The writer, behind o->sink. */
nrw_status output_open(output *o, mem *grant, uint32_t workers, nrw_error *err) NRW_CHECKED;
/* All rows have come: footers. Then all of it is published. */
nrw_status output_finish(output *o, file_summary *out, nrw_error *err) NRW_CHECKED;
nrw_status output_publish(output *o, nrw_error *err) NRW_CHECKED;
/* For a plan: "write parquet", and where to. */
void output_describe(const output *o, plan_step *s);
/* Whatever was reached; what was not published is gone. */
void output_close(output *o);

#endif
