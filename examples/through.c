/* A source and an operator of its own: makes batches of numbers, has Narrows keep those that a
 * condition allows, squares them in an operator, and writes the result to a file.
 *
 *     through "n % 3 = 0" out.parquet
 */
#include <narrows/narrows.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCHES = 10, ROWS = 1000 };

/* ---- batches of one column n of 64-bit integers, without nulls ---- */

static void release_leaf_schema(struct ArrowSchema *s)
{
    s->release = NULL;
}

static void release_schema(struct ArrowSchema *s)
{
    if (s->children[0]->release)
        s->children[0]->release(s->children[0]);
    free(s->private_data);
    s->release = NULL;
}

static int make_schema(struct ArrowSchema *out)
{
    struct {
        struct ArrowSchema leaf, *children[1];
    } *all = calloc(1, sizeof *all);

    if (!all)
        return ENOMEM;
    all->leaf = (struct ArrowSchema){.format = "l", .name = "n", .release = release_leaf_schema};
    all->children[0] = &all->leaf;
    *out = (struct ArrowSchema){.format = "+s",
                                .name = "",
                                .n_children = 1,
                                .children = all->children,
                                .release = release_schema,
                                .private_data = all};
    return 0;
}

static void release_leaf(struct ArrowArray *a)
{
    free(a->private_data);
    a->release = NULL;
}

static void release_batch(struct ArrowArray *a)
{
    if (a->children[0]->release)
        a->children[0]->release(a->children[0]);
    free(a->private_data);
    a->release = NULL;
}

/* The values are the caller's to fill in. */
static int make_batch(int64_t rows, struct ArrowArray *out, int64_t **values)
{
    struct {
        struct ArrowArray leaf, *children[1];
        const void *nothing[1], *buffers[2];
    } *all = calloc(1, sizeof *all);

    *values = malloc((size_t)(rows ? rows : 1) * sizeof **values);
    if (!all || !*values) {
        free(all);
        free(*values);
        return ENOMEM;
    }
    all->buffers[1] = *values;
    all->leaf = (struct ArrowArray){.length = rows,
                                    .n_buffers = 2,
                                    .buffers = all->buffers,
                                    .release = release_leaf,
                                    .private_data = *values};
    all->children[0] = &all->leaf;
    *out = (struct ArrowArray){.length = rows,
                               .n_buffers = 1,
                               .n_children = 1,
                               .buffers = all->nothing,
                               .children = all->children,
                               .release = release_batch,
                               .private_data = all};
    return 0;
}

/* ---- the source ---- */

static int source_schema(struct ArrowArrayStream *s, struct ArrowSchema *out)
{
    (void)s;
    return make_schema(out);
}

static int source_next(struct ArrowArrayStream *s, struct ArrowArray *out)
{
    int *made = s->private_data;
    int64_t *values;

    memset(out, 0, sizeof *out);
    if (*made == BATCHES)
        return 0;
    if (make_batch(ROWS, out, &values))
        return ENOMEM;
    for (int i = 0; i < ROWS; i++)
        values[i] = *made * ROWS + i;
    ++*made;
    return 0;
}

static const char *source_error(struct ArrowArrayStream *s)
{
    (void)s;
    return NULL;
}

static void source_release(struct ArrowArrayStream *s)
{
    s->release = NULL;
}

/* ---- the operator ---- */

static nrw_status square(void *self, struct ArrowArray *in, struct ArrowArray *out, nrw_error *err)
{
    const struct ArrowArray *column = in->children[0];
    const int64_t *from = (const int64_t *)column->buffers[1] + column->offset;
    int64_t *to;

    (void)self;
    if (make_batch(in->length, out, &to))
        return nrw_error_set(err, NRW_E_NOMEM, "no memory for a batch");
    for (int64_t i = 0; i < in->length; i++)
        to[i] = from[i] * from[i];
    in->release(in);
    return NRW_OK;
}

/* ---- the job ---- */

static nrw_status run(nrw_job *job, char **argv, nrw_error *err)
{
    int made = 0;
    struct ArrowArrayStream numbers = {.get_schema = source_schema,
                                       .get_next = source_next,
                                       .get_last_error = source_error,
                                       .release = source_release,
                                       .private_data = &made};
    const nrw_operator squares = {.batch = square};
    nrw_status st = nrw_job_source_stream(job, "numbers", &numbers, err);

    if (st >= 0)
        st = nrw_job_option(job, "where", argv[1], err);
    if (st >= 0)
        st = nrw_job_operator(job, &squares, err);
    if (st >= 0)
        st = nrw_job_target(job, argv[2], err);
    return st < 0 ? st : nrw_job_run(job, err);
}

int main(int argc, char **argv)
{
    nrw_error err = NRW_ERROR_INIT;
    char sentence[1600], *summary;
    nrw_job *job;
    nrw_status st;

    if (argc != 3) {
        fprintf(stderr, "through: usage: through CONDITION TARGET\n");
        return 1;
    }
    st = nrw_job_new("copy", &job, &err);
    if (st >= 0) {
        st = run(job, argv, &err);
        if (st >= 0 && nrw_job_summary(job, &summary, &err) >= 0) {
            puts(summary);
            nrw_free(summary);
        }
        nrw_job_free(job);
    }
    if (st < 0) {
        nrw_error_print(&err, sentence, sizeof sentence);
        fprintf(stderr, "through: %s\n", sentence);
    }
    return st < 0;
}
