/* How far texts are from each other; by bytes, as DuckDB counts. */
#include "expr/function_sets.h"
#include "expr/text.h"

/* Edits that make one of the other: insert, delete, change a byte, and with `swaps` change places
 * of two that are neighbours. Three rows of the table are enough. */
static nrw_status distance(span a, span b, bool swaps, mem *m, int64_t *out, nrw_error *err)
{
    size_t width = b.len + 1, bytes = 3 * width * sizeof(uint32_t);
    uint32_t *before, *last, *now, *spare;
    void *p;

    TRY(mem_alloc(m, bytes, &p, err));
    before = p;
    last = before + width;
    now = last + width;
    for (size_t j = 0; j < width; j++)
        last[j] = (uint32_t)j;
    for (size_t i = 1; i <= a.len; i++) {
        now[0] = (uint32_t)i;
        for (size_t j = 1; j < width; j++) {
            uint32_t change = last[j - 1] + (a.data[i - 1] != b.data[j - 1]);
            uint32_t one = (last[j] < now[j - 1] ? last[j] : now[j - 1]) + 1;
            now[j] = change < one ? change : one;
            if (swaps && i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] &&
                a.data[i - 2] == b.data[j - 1] && before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
        spare = before;
        before = last;
        last = now;
        now = spare;
    }
    *out = last[b.len];
    mem_free(m, p, bytes);
    return NRW_OK;
}

static nrw_status distance_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    bool swaps = e->f->name[0] == 'd';

    for (uint32_t i = 0; i < args->rows; i++)
        if (row_valid(out, i))
            TRY(distance(TEXT(0), TEXT(1), swaps, args->m, &OUT(int64_t, out)[i], err));
    return NRW_OK;
}

static nrw_status hamming_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    for (uint32_t i = 0; i < args->rows; i++) {
        span a = TEXT(0), b = TEXT(1);
        if (!row_valid(out, i))
            continue;
        OUT(int64_t, out)[i] = 0;
        if (a.len != b.len || a.len == 0)
            return err_set(err, NRW_E_VALUE, "%s: texts of one length, not empty", e->f->name);
        for (size_t k = 0; k < a.len; k++)
            OUT(int64_t, out)[i] += a.data[k] != b.data[k];
    }
    return NRW_OK;
}

/* Bytes that both have among those that either has. */
static nrw_status jaccard_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    for (uint32_t i = 0; i < args->rows; i++) {
        bool a[256] = {false}, b[256] = {false};
        int both = 0, either = 0;
        if (!row_valid(out, i))
            continue;
        if (TEXT(0).len == 0 || TEXT(1).len == 0)
            return err_set(err, NRW_E_VALUE, "%s: a text is empty", e->f->name);
        for (size_t k = 0; k < TEXT(0).len; k++)
            a[TEXT(0).data[k]] = true;
        for (size_t k = 0; k < TEXT(1).len; k++)
            b[TEXT(1).data[k]] = true;
        for (int c = 0; c < 256; c++) {
            both += a[c] && b[c];
            either += a[c] || b[c];
        }
        OUT(double, out)[i] = (double)both / either;
    }
    return NRW_OK;
}

/* Jaro: the share of bytes that match within half the longer text, less those out of order. */
static double jaro(span a, span b, uint8_t *used)
{
    size_t reach = size_max(a.len, b.len) / 2, matches = 0, k = 0, turned = 0;
    uint8_t *in_a = used, *in_b = used + a.len;

    if (a.len == 0 || b.len == 0)
        return 0;
    reach = reach ? reach - 1 : 0;
    memset(used, 0, a.len + b.len);
    for (size_t i = 0; i < a.len; i++) {
        size_t from = i > reach ? i - reach : 0, to = size_min(i + reach + 1, b.len);
        for (size_t j = from; j < to; j++)
            if (!in_b[j] && a.data[i] == b.data[j]) {
                in_a[i] = in_b[j] = 1;
                matches++;
                break;
            }
    }
    if (matches == 0)
        return 0;
    for (size_t i = 0; i < a.len; i++) {
        if (!in_a[i])
            continue;
        while (!in_b[k])
            k++;
        turned += a.data[i] != b.data[k++];
    }
    double m = (double)matches;
    return (m / (double)a.len + m / (double)b.len + (m - (double)(turned / 2)) / m) / 3;
}

static nrw_status jaro_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    bool winkler = strstr(e->f->name, "winkler") != NULL;

    for (uint32_t i = 0; i < args->rows; i++) {
        span a = TEXT(0), b = TEXT(1);
        size_t same = 0;
        double x;
        void *p;
        if (!row_valid(out, i))
            continue;
        TRY(mem_alloc(args->m, a.len + b.len, &p, err));
        x = jaro(a, b, p);
        mem_free(args->m, p, a.len + b.len);
        while (same < 4 && same < a.len && same < b.len && a.data[same] == b.data[same])
            same++;
        if (winkler && x > 0.7)
            x += (double)same * 0.1 * (1 - x);
        if (args->n > 2 && x < ARG(double, args, 2)[ROW(args, 2, i)])
            x = 0;
        OUT(double, out)[i] = x;
    }
    return NRW_OK;
}

static const function rows[] = {
    {"levenshtein", "ss", "8", distance_eval, 0, NULL},
    {"editdist3", "ss", "8", distance_eval, 0, NULL},
    {"damerau_levenshtein", "ss", "8", distance_eval, 0, NULL},
    {"hamming", "ss", "8", hamming_eval, FAILS, NULL},
    {"mismatches", "ss", "8", hamming_eval, FAILS, NULL},
    {"jaccard", "ss", "d", jaccard_eval, FAILS, NULL},
    {"jaro_similarity", "ssd?", "d", jaro_eval, 0, NULL},
    {"jaro_winkler_similarity", "ssd?", "d", jaro_eval, 0, NULL},
};

const function_set functions_similar = FUNCTION_SET(rows);
