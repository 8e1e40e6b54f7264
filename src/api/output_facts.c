/* What the bytes of a dataset follow from, one by one: this program, the words of the job, the
 * query, and the inputs with their sizes and times. A run is resumed only by one that is all of
 * this, too. Memory, threads and spilling are not among them. */
#include "api/output_set.h"

#include "base/hash.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static uint64_t hash_of(const char *text)
{
    return hash_bytes(text, strlen(text));
}

/* Does the word change what is written? */
static bool tells(const job_word *w)
{
    return strcmp(w->option->group, "run") != 0 && strcmp(w->option->name, "process-by") != 0;
}

static bool word_fact(const output *o, uint64_t *i, char *text, size_t cap, dataset_fact *out)
{
    for (size_t k = 0; k < o->job->n_words; k++) {
        const job_word *w = &o->job->words[k];
        if (!tells(w) || (*i)--)
            continue;
        snprintf(text, cap, "--%s%s%s%s", w->negated ? "no-" : "", w->option->name,
                 w->option->argument ? " " : "", w->option->argument ? w->value : "");
        *out = (dataset_fact){text, hash_of(w->value)};
        return true;
    }
    return false;
}

static bool query_fact(const output *o, uint64_t *i, char *text, size_t cap, dataset_fact *out)
{
    if (!o->query.len || (*i)--)
        return false;
    snprintf(text, cap, "the query %.*s", (int)size_min(o->query.len, 2000),
             (const char *)o->query.data);
    *out = (dataset_fact){text, hash_bytes(o->query.data, o->query.len)};
    return true;
}

/* 0 where it is not there: that is no fact that comes back. */
static uint64_t state_of(const char *path)
{
    struct stat s;

    if (stat(path, &s) != 0)
        return 0;
    const uint64_t said[] = {(uint64_t)s.st_size, (uint64_t)s.st_mtim.tv_sec,
                             (uint64_t)s.st_mtim.tv_nsec};
    return hash_bytes(said, sizeof said);
}

static nrw_status input_fact(const output *o, uint64_t i, char *text, size_t cap, dataset_fact *out,
                             nrw_error *err)
{
    const char *path = o->inputs.at ? o->inputs.at(o->inputs.self, i) : NULL;

    if (!path)
        return NRW_END;
    if ((strcmp(path, "-") == 0 || door_named(o->job->doors, path)) &&
        job_switch(o->job, "resume", false))
        return err_set(err, NRW_E_ARG, "--resume: %.100s cannot be read again",
                       strcmp(path, "-") == 0 ? "standard input" : path);
    snprintf(text, cap, "input %s", path);
    *out = (dataset_fact){text, state_of(path)};
    return NRW_OK;
}

nrw_status output_set_fact(const output *o, uint64_t i, char *text, size_t cap, dataset_fact *out,
                           nrw_error *err)
{
    if (i-- == 0) {
        snprintf(text, cap, "narrows %s", nrw_version());
        *out = (dataset_fact){text, 0};
        return NRW_OK;
    }
    if (word_fact(o, &i, text, cap, out) || query_fact(o, &i, text, cap, out))
        return NRW_OK;
    return input_fact(o, i, text, cap, out, err);
}
