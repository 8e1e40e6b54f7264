/* A job's words: verb, sources, target and options, stored as they were given. */
#include "api/operators.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LONGEST_NAME 64

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Edits from a to b, where two letters that changed places count as one. */
static unsigned distance(const char *a, const char *b)
{
    unsigned rows[3][LONGEST_NAME];
    size_t n = strlen(a), m = strlen(b);

    if (n >= LONGEST_NAME || m >= LONGEST_NAME)
        return LONGEST_NAME;
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned *row = rows[i % 3], *up = rows[(i + 2) % 3], *above = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            row[j] = least(least(row[j - 1], up[j]) + 1, up[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], above[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

const char *nearest_name(const char *name, const char *const *names)
{
    unsigned best = strlen(name) < 5 ? 1 : strlen(name) < 10 ? 2 : 3;
    const char *found = NULL;

    for (; *names; names++) {
        unsigned d = distance(name, *names);
        if (d < best || (!found && d == best)) {
            best = d;
            found = *names;
        }
    }
    return found;
}

static nrw_status unknown_verb(const char *verb, nrw_error *err)
{
    static const char *const foreign[][2] = {{"cat", "copy FILE -"}, {"meta", "inspect"},
                                             {"rowcount", "count"},  {"merge", "copy"},
                                             {"convert", "copy"},    {"pull", "copy"}};
    const char *names[32] = {0};
    const char *near;

    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (strcmp(verb, foreign[i][0]) == 0)
            err_next(err, "here it is narrows %s", foreign[i][1]);
    for (size_t i = 0; i + 1 < sizeof names / sizeof *names && nrw_verb_at(i); i++)
        names[i] = nrw_verb_at(i)->name;
    near = nearest_name(verb, names);
    if (near)
        err_next(err, "did you mean %s?", near);
    err_next(err, "narrows --help lists the verbs");
    return err_set(err, NRW_E_ARG, "there is no verb %s", verb);
}

nrw_status nrw_job_new(const char *verb, nrw_job **out, nrw_error *err)
{
    nrw_job *job = NULL;
    mem *m = NULL;
    nrw_status st;

    *out = NULL;
    for (size_t i = 0; nrw_verb_at(i); i++) {
        if (strcmp(nrw_verb_at(i)->name, verb) != 0)
            continue;
        TRY(mem_root(MEM_NO_LIMIT, &m, err));
        st = mem_zalloc(m, sizeof *job, (void **)&job, err);
        if (st >= 0)
            st = arena_new(m, &job->a, err);
        if (st < 0) {
            mem_free(m, job, job ? sizeof *job : 0);
            mem_free_account(m);
            return st;
        }
        job->words_mem = m;
        job->verb = nrw_verb_at(i);
        job->phase = "start";
        job->stood.fraction = -1;
        pthread_mutex_init(&job->running_lock, NULL);
        job->result.sources = bytes_init(m, 64 << 20);
        job->result.columns = bytes_init(m, 64 << 20);
        job->result.targets = bytes_init(m, 4 << 20);
        job->result.notes = bytes_init(m, 1 << 20);
        job->result.pipes = bytes_init(m, 1 << 20);
        *out = job;
        return NRW_OK;
    }
    return unknown_verb(verb, err);
}

void nrw_job_free(nrw_job *job)
{
    mem *m;

    if (!job)
        return;
    m = job->words_mem;
    nrw_job_free(atomic_load(&job->feeder));
    operators_release(job);
    for (door *d = job->doors; d; d = d->next)
        if (d->close)
            d->close(d);
    spill_close(job->spill);
    mem_free_account(job->root);
    bytes_release(&job->result.sources);
    bytes_release(&job->result.columns);
    bytes_release(&job->result.targets);
    bytes_release(&job->result.notes);
    bytes_release(&job->result.pipes);
    arena_free(job->a);
    pthread_mutex_destroy(&job->running_lock);
    mem_free(m, job, sizeof *job);
    mem_free_account(m);
}

nrw_status nrw_job_source(nrw_job *job, const char *source, nrw_error *err)
{
    TRY(arena_grow(job->a, (void **)&job->sources.at, job->sources.n, &job->sources.cap,
                   sizeof *job->sources.at, err));
    TRY(arena_strndup(job->a, source, strlen(source), &job->sources.at[job->sources.n], err));
    job->sources.n++;
    return NRW_OK;
}

nrw_status nrw_job_target(nrw_job *job, const char *target, nrw_error *err)
{
    char *copy;

    TRY(arena_strndup(job->a, target, strlen(target), &copy, err));
    job->target = copy;
    return NRW_OK;
}

static bool verb_has(const nrw_option *o, const nrw_verb *v)
{
    char word[32];

    snprintf(word, sizeof word, " %s ", v->name);
    return strstr(o->verbs, word) != NULL;
}

static nrw_status unknown_option(const nrw_job *job, const char *name, nrw_error *err)
{
    const char *names[96] = {0};
    const char *near;
    size_t n = 0;

    for (size_t i = 0; nrw_option_at(i) && n + 1 < sizeof names / sizeof *names; i++)
        if (verb_has(nrw_option_at(i), job->verb))
            names[n++] = nrw_option_at(i)->name;
    near = nearest_name(name, names);
    if (near)
        err_next(err, "did you mean --%s?", near);
    err_next(err, "narrows help %s lists its options", job->verb->name);
    return err_set(err, NRW_E_ARG, "there is no option --%s", name);
}

nrw_status nrw_job_option(nrw_job *job, const char *name, const char *value, nrw_error *err)
{
    const nrw_option *o = NULL;
    bool negated = strncmp(name, "no-", 3) == 0;
    char *copy;

    for (size_t i = 0; nrw_option_at(i) && !(o && verb_has(o, job->verb)); i++) {
        const nrw_option *at = nrw_option_at(i); /* one name may mean two things to two verbs */
        if (strcmp(at->name, name) == 0) {
            o = at;
            negated = false;
        } else if (negated && !at->argument && at->initial && strcmp(at->name, name + 3) == 0) {
            o = at;
        }
    }
    if (!o)
        return unknown_option(job, name, err);
    if (!verb_has(o, job->verb)) {
        err_next(err, "narrows help %s lists its options", job->verb->name);
        return err_set(err, NRW_E_ARG, "%s has no option --%s", job->verb->name, name);
    }
    TRY(arena_grow(job->a, (void **)&job->words, job->n_words, &job->cap_words, sizeof *job->words,
                   err));
    TRY(arena_strndup(job->a, value ? value : "", value ? strlen(value) : 0, &copy, err));
    job->words[job->n_words++] = (job_word){o, copy, negated};
    return NRW_OK;
}

const char *job_last(const nrw_job *job, const char *option)
{
    for (size_t i = job->n_words; i-- > 0;)
        if (strcmp(job->words[i].option->name, option) == 0)
            return job->words[i].value;
    return NULL;
}

const job_word *job_each(const nrw_job *job, const char *option, size_t i)
{
    for (size_t k = 0; k < job->n_words; k++)
        if (strcmp(job->words[k].option->name, option) == 0 && i-- == 0)
            return &job->words[k];
    return NULL;
}

bool job_switch(const nrw_job *job, const char *option, bool initial)
{
    for (size_t i = job->n_words; i-- > 0;)
        if (strcmp(job->words[i].option->name, option) == 0)
            return !job->words[i].negated;
    return initial;
}

nrw_status job_size(const nrw_job *job, const char *option, uint64_t whole, uint64_t initial,
                    uint64_t *out, nrw_error *err)
{
    const char *value = job_last(job, option);
    char name[64];

    *out = initial;
    if (!value)
        return NRW_OK;
    snprintf(name, sizeof name, "--%s", option);
    return text_parse_size(value, whole, name, out, err);
}

nrw_status job_count(const nrw_job *job, const char *option, uint64_t least, uint64_t most,
                     uint64_t initial, uint64_t *out, nrw_error *err)
{
    const char *value = job_last(job, option), *s = value;
    uint64_t v = 0;
    bool good = value && *value;

    *out = initial;
    if (!value)
        return NRW_OK;
    for (; *s && good; s++) {
        if (*s == '_' && s > value)
            continue;
        good = *s >= '0' && *s <= '9' && !__builtin_mul_overflow(v, 10, &v) &&
               !__builtin_add_overflow(v, (uint64_t)(*s - '0'), &v);
    }
    if (!good || v < least || v > most) {
        if (most == UINT64_MAX || most == INT64_MAX)
            return err_set(err, NRW_E_ARG, "--%s takes a whole number from %llu on, not %s", option,
                           (unsigned long long)least, value);
        return err_set(err, NRW_E_ARG, "--%s takes a whole number from %llu to %llu, not %s",
                       option, (unsigned long long)least, (unsigned long long)most, value);
    }
    *out = v;
    return NRW_OK;
}
