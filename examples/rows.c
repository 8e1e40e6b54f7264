/* Answers a query and walks its rows as Arrow batches: sums the first column, which is of 64-bit
 * integers, and says how many rows and batches there were.
 *
 *     rows "SELECT id FROM 'in.parquet' WHERE price > 100"
 */
#include <narrows/narrows.h>

#include <inttypes.h>
#include <stdio.h>

static int fail(const char *sentence)
{
    fprintf(stderr, "rows: %s\n", sentence);
    return 1;
}

static int fail_with(const nrw_error *err)
{
    char sentence[1600];

    nrw_error_print(err, sentence, sizeof sentence);
    return fail(sentence);
}

static int there(const struct ArrowArray *column, int64_t row)
{
    const uint8_t *bits = column->buffers[0];

    return !bits || bits[row / 8] >> row % 8 & 1;
}

static int64_t sum(const struct ArrowArray *rows)
{
    const struct ArrowArray *column = rows->children[0];
    const int64_t *values = column->buffers[1];
    int64_t total = 0;

    for (int64_t i = column->offset; i < column->offset + rows->length; i++)
        if (there(column, i))
            total += values[i];
    return total;
}

static int is_int64(struct ArrowArrayStream *stream)
{
    struct ArrowSchema schema;
    int is;

    if (stream->get_schema(stream, &schema))
        return -1;
    is = schema.n_children > 0 && schema.children[0]->format[0] == 'l';
    schema.release(&schema);
    return is;
}

static int walk(struct ArrowArrayStream *stream)
{
    int64_t total = 0, rows = 0, batches = 0;
    struct ArrowArray array;
    int is = is_int64(stream);

    if (is < 1)
        return fail(is < 0 ? stream->get_last_error(stream) : "the first column is no BIGINT");
    for (;; batches++) {
        if (stream->get_next(stream, &array))
            return fail(stream->get_last_error(stream));
        if (!array.release)
            break;
        total += sum(&array);
        rows += array.length;
        array.release(&array);
    }
    printf("%" PRId64 " rows in %" PRId64 " batches, sum %" PRId64 "\n", rows, batches, total);
    return 0;
}

static int answer(nrw_job *job, int argc, char **argv)
{
    struct ArrowArrayStream stream;
    nrw_error err = NRW_ERROR_INIT;
    int code;

    if (nrw_job_source(job, argv[1], &err) < 0 ||
        (argc > 2 && nrw_job_option(job, "memory", argv[2], &err) < 0) ||
        nrw_job_stream(job, &stream, &err) < 0)
        return fail_with(&err);
    code = walk(&stream);
    stream.release(&stream);
    return code;
}

int main(int argc, char **argv)
{
    nrw_error err = NRW_ERROR_INIT;
    nrw_job *job;
    int code;

    if (argc < 2 || argc > 3)
        return fail("usage: rows QUERY [MEMORY]");
    if (nrw_job_new("sql", &job, &err) < 0)
        return fail_with(&err);
    code = answer(job, argc, argv);
    nrw_job_free(job);
    return code;
}
