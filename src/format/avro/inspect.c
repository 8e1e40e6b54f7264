#include "format/avro/inspect.h"

#include <stdio.h>

#define SAMPLE_BLOCKS 64
#define SAMPLE_ROWS   65536u

/* What the first records took. */
typedef struct sample {
    uint64_t rows, memory, stored, plain;
} sample;

static void add(facts *out, const char *key, const char *title, fact_kind kind, uint64_t n)
{
    out->at[out->n++] = (fact){.key = key, .title = title, .kind = kind, .n = n};
}

static nrw_status decode_some(av_piece *p, const av_block *b, sample *s, nrw_error *err)
{
    int64_t left = b->rows;
    uint32_t n;

    av_piece_start(p, b->at, b->data + b->size + AV_SYNC, b->number, 0);
    while (left > 0 && s->rows < SAMPLE_ROWS) {
        TRY(av_piece_next(p, left > BATCH_MAX_ROWS ? BATCH_MAX_ROWS : (uint32_t)left, &n, err));
        for (uint32_t i = 0; i < p->shape->program->n_outputs; i++)
            s->memory += vector_bytes(&p->vectors[i]);
        s->rows += n;
        left -= n;
    }
    s->plain += p->raw_bytes;
    s->stored += left > 0 ? 0 : p->stored_bytes;
    p->raw_bytes = p->stored_bytes = 0;
    return NRW_OK;
}

static nrw_status take_sample(av_piece *p, io_file *f, const av_header *h, sample *s,
                              nrw_error *err)
{
    av_walk w = av_walk_init(f, h);
    nrw_status st = NRW_OK;
    av_block b;

    while (st == NRW_OK && w.number < SAMPLE_BLOCKS && s->rows < SAMPLE_ROWS) {
        st = av_walk_next(&w, &b, err);
        if (st == NRW_OK)
            TRY(decode_some(p, &b, s, err));
        av_piece_drop(p);
    }
    return st < 0 ? st : NRW_OK;
}

static nrw_status sample_of(io_file *f, const av_header *h, const av_columns *c, mem *m, sample *s,
                            nrw_error *err)
{
    av_whole whole;
    nrw_status st = av_whole_open(&whole, f, h, c, m, err);

    if (st >= 0 && whole.program.n_outputs > 0)
        st = take_sample(&whole.piece, f, h, s, err);
    av_whole_close(&whole);
    return st;
}

static nrw_status count(io_file *f, const av_header *h, facts *out, uint64_t *rows, nrw_error *err)
{
    av_walk w = av_walk_init(f, h);
    uint64_t blocks = 0, largest = 0;
    nrw_status st;
    av_block b;

    *rows = 0;
    while ((st = av_walk_next(&w, &b, err)) == NRW_OK) {
        *rows += (uint64_t)b.rows;
        blocks++;
        largest = b.size > largest ? b.size : largest;
    }
    add(out, "rows", "records", FACT_NUMBER, *rows);
    add(out, "blocks", "blocks", FACT_PARTS, blocks);
    add(out, "largest_block", "largest block", FACT_BYTES, largest);
    return st < 0 ? st : NRW_OK;
}

nrw_status av_facts(io_file *f, const av_header *h, const av_columns *c, mem *m, facts *out,
                    nrw_error *err)
{
    sample s = {0};
    uint64_t rows;

    *out = (facts){0};
    add(out, "format", "format", FACT_TEXT, 0);
    snprintf(out->at[0].text, sizeof out->at[0].text, "avro");
    add(out, "codec", "codec", FACT_TEXT, 0);
    snprintf(out->at[1].text, sizeof out->at[1].text, "%.40s", h->codec_name);
    add(out, "n_columns", "columns", FACT_NUMBER, c->schema.n_fields);
    add(out, "bytes", "bytes", FACT_BYTES, f->size);
    TRY(count(f, h, out, &rows, err));
    TRY(sample_of(f, h, c, m, &s, err));
    if (s.rows == 0)
        return NRW_OK;
    add(out, "sampled_rows", "records looked at", FACT_NUMBER, s.rows);
    add(out, "memory_per_row", "in memory, a record", FACT_BYTES, (s.memory + s.rows - 1) / s.rows);
    add(out, "memory", "in memory, all", FACT_BYTES,
        (uint64_t)((double)s.memory / (double)s.rows * (double)rows));
    add(out, "uncompressed", "unpacked, all", FACT_BYTES,
        (uint64_t)((double)s.plain / (double)s.rows * (double)rows));
    return NRW_OK;
}
