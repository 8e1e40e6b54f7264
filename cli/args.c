/* The command line, word by word: options anywhere, `--x V` as `--x=V`, `--` ends them. */
#include "cli.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct arguments {
    int argc, at, verb; /* verb: its place, once known */
    char **argv;
    cli_options *cli;
    nrw_job *job;
    const char *word; /* the last that is no option: the target, where the verb writes */
    int n_words;
    bool lists; /* --files-from gives sources, too */
    bool ended; /* after -- */
} arguments;

static nrw_status usage(nrw_error *err, const char *what, const char *arg, const char *next)
{
    err->status = NRW_E_ARG;
    snprintf(err->message, sizeof err->message, what, arg);
    snprintf(err->next, sizeof err->next, "%s", next);
    return NRW_E_ARG;
}

static const nrw_option own[] = {
    {"progress", "WHAT", "run", "auto",
     "auto: a line on a terminal; json: an object a second; none", NULL, 0},
    {"report", "FILE", "run", NULL, "what was done and what it took, as JSON", NULL, 0},
    {"quiet", NULL, "run", NULL, "no progress and no summary", NULL, 'q'},
    {"help", NULL, "run", NULL, "this page", NULL, 'h'},
    {"version", NULL, "run", NULL, "the version", NULL, 0},
};

const nrw_option *cli_own_option(size_t i)
{
    return i < sizeof own / sizeof *own ? &own[i] : NULL;
}

const nrw_option *cli_option(const char *name, char letter)
{
    const nrw_option *o;

    for (size_t i = 0; (o = cli_own_option(i)); i++)
        if (name ? strcmp(o->name, name) == 0 : o->letter == letter)
            return o;
    for (size_t i = 0; (o = nrw_option_at(i)); i++)
        if (name ? strcmp(o->name, name) == 0 : o->letter == letter)
            return o;
    return NULL;
}

const nrw_verb *cli_verb(const char *name)
{
    const nrw_verb *v;

    for (size_t i = 0; (v = nrw_verb_at(i)); i++)
        if (strcmp(v->name, name) == 0)
            return v;
    return NULL;
}

static nrw_status own_option(arguments *a, const nrw_option *o, const char *value, nrw_error *err)
{
    cli_options *cli = a->cli;

    if (strcmp(o->name, "help") == 0)
        cli->help = true;
    else if (strcmp(o->name, "version") == 0)
        cli->version = true;
    else if (strcmp(o->name, "quiet") == 0)
        cli->quiet = true;
    else if (strcmp(o->name, "report") == 0)
        cli->report = value;
    else if (strcmp(value, "none") == 0)
        cli->progress = PROGRESS_NONE;
    else if (strcmp(value, "json") == 0)
        cli->progress = PROGRESS_JSON;
    else if (strcmp(value, "auto") == 0)
        cli->progress = PROGRESS_AUTO;
    else
        return usage(err, "--progress is auto, none or json, not %s", value, "");
    return NRW_OK;
}

static bool is_own(const nrw_option *o)
{
    return o >= own && o < own + sizeof own / sizeof *own;
}

/* `plan -f json VERB ...`: before the verb -f is plan's, behind it the verb's. */
static nrw_status plan_format(cli_options *cli, const char *value, nrw_error *err)
{
    cli->plan_json = strcmp(value, "json") == 0;
    if (!cli->plan_json && strcmp(value, "text") != 0)
        return usage(err, "--format of plan is text or json, not %s", value, "");
    return NRW_OK;
}

/* Takes the option at argv[a->at]; its value is behind '=' (short options: behind the letter) or
 * the next argument. Before the verb is known there is no job, and the option is left for later. */
static nrw_status option(arguments *a, bool apply, nrw_error *err)
{
    const char *arg = a->argv[a->at], *eq = strchr(arg, '='), *value = NULL;
    bool is_long = arg[1] == '-';
    const nrw_option *o;
    char name[64];

    if (is_long) {
        snprintf(name, sizeof name, "%.*s", (int)(eq ? eq - arg - 2 : (ptrdiff_t)sizeof name - 1),
                 arg + 2);
        o = cli_option(name, 0);
        value = eq ? eq + 1 : NULL;
    } else {
        o = cli_option(NULL, arg[1]);
        snprintf(name, sizeof name, "%s", o ? o->name : "");
        value = arg[2] ? arg + 2 : NULL;
        if (!o)
            return usage(err, "there is no option %s", arg, "narrows help VERB lists the options");
    }
    if (o && o->argument && !value) {
        if (a->at + 1 >= a->argc)
            return usage(err, "%s needs a value", arg, "");
        value = a->argv[++a->at];
    } else if (value && o && !o->argument) {
        return usage(err, "--%s takes no value", name, "");
    }
    if (!apply)
        return NRW_OK;
    if (o && is_own(o))
        return own_option(a, o, value, err);
    if (a->cli->plan && a->at < a->verb && strcmp(name, "format") == 0)
        return plan_format(a->cli, value, err);
    a->lists |= strcmp(name, "files-from") == 0;
    a->cli->pipes |= strcmp(name, "pipe") == 0;
    return a->job ? nrw_job_option(a->job, name, value ? value : "", err) : NRW_OK;
}

static nrw_status next_word(arguments *a, const char *word, nrw_error *err)
{
    const char *before = a->word;

    a->word = word;
    a->n_words++;
    return before ? nrw_job_source(a->job, before, err) : NRW_OK;
}

static nrw_status last_word(arguments *a, nrw_error *err)
{
    bool only_source;

    if (!a->word) {
        a->cli->rows_to_stdout = !a->cli->verb->moves_rows;
        return NRW_OK;
    }
    /* `copy in.parquet`: what is missing is where to */
    only_source = a->n_words == 1 && !a->lists && strstr(a->cli->verb->usage, "SRC");
    if (!a->cli->verb->moves_rows || only_source) {
        a->cli->rows_to_stdout = !a->cli->verb->moves_rows;
        return nrw_job_source(a->job, a->word, err);
    }
    a->cli->rows_to_stdout = strcmp(a->word, "-") == 0;
    return nrw_job_target(a->job, a->word, err);
}

static nrw_status walk(arguments *a, nrw_error *err)
{
    for (a->at = 1; a->at < a->argc; a->at++) {
        const char *arg = a->argv[a->at];
        nrw_status st = NRW_OK;

        if (a->at == a->verb || (a->at < a->verb && strcmp(arg, "plan") == 0))
            continue;
        if (a->ended || arg[0] != '-' || !arg[1])
            st = next_word(a, arg, err);
        else if (strcmp(arg, "--") == 0)
            a->ended = true;
        else
            st = option(a, true, err);
        if (st < 0)
            return st;
    }
    return last_word(a, err);
}

/* The place of the first word from `from` that is no option and no option's value; argc: none. */
static int word_at(arguments *a, int from, nrw_error *err)
{
    for (a->at = from; a->at < a->argc; a->at++) {
        const char *arg = a->argv[a->at];
        if (arg[0] != '-' || !arg[1])
            return a->at;
        if (option(a, false, err) < 0)
            return -1;
    }
    return a->argc;
}

/* Options of the command that stand alone: narrows --version, narrows -h. */
static nrw_status no_verb(arguments *a, nrw_error *err)
{
    for (a->at = 1; a->at < a->argc; a->at++) {
        nrw_status st = a->argv[a->at][0] == '-' ? option(a, true, err) : NRW_OK;
        if (st < 0)
            return st;
    }
    if (a->cli->version || a->cli->help)
        return NRW_OK;
    return usage(err, "no verb is given%s", a->cli->plan ? " to plan" : "",
                 "narrows --help lists them");
}

/* Defaults of the environment come first, so that options win. */
static nrw_status environment(nrw_job *job, nrw_error *err)
{
    static const char *const names[][2] = {{"NARROWS_MEMORY", "memory"},
                                           {"NARROWS_THREADS", "threads"},
                                           {"NARROWS_SPILL_DIR", "spill-dir"},
                                           {"NARROWS_SPILL_LIMIT", "spill-limit"}};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i][0]);
        nrw_status st = value && *value ? nrw_job_option(job, names[i][1], value, err) : NRW_OK;
        if (st < 0)
            return st;
    }
    return NRW_OK;
}

static bool asks_help(const arguments *a, int verb)
{
    for (int i = verb; i < a->argc && strcmp(a->argv[i], "--") != 0; i++)
        if (strcmp(a->argv[i], "--help") == 0 || strcmp(a->argv[i], "-h") == 0)
            return true;
    return false;
}

nrw_status cli_parse(int argc, char **argv, cli_options *cli, nrw_job **job, nrw_error *err)
{
    arguments a = {.argc = argc, .argv = argv, .cli = cli};
    int verb = word_at(&a, 1, err);
    nrw_status st;

    *job = NULL;
    if (verb < 0)
        return err->status;
    if (verb < argc && strcmp(argv[verb], "help") == 0) {
        cli->help = true;
        cli->topic = verb + 1 < argc ? argv[verb + 1] : NULL;
        return NRW_OK;
    }
    if (verb < argc && strcmp(argv[verb], "plan") == 0) {
        cli->plan = true;
        verb = word_at(&a, verb + 1, err);
        if (verb < 0)
            return err->status;
    }
    if (asks_help(&a, 1)) {
        cli->help = true;
        cli->topic = verb < argc ? argv[verb] : cli->plan ? "plan" : NULL;
        return NRW_OK;
    }
    if (verb >= argc)
        return no_verb(&a, err);
    a.verb = verb;
    st = nrw_job_new(argv[verb], &a.job, err);
    *job = a.job;
    cli->verb = cli_verb(argv[verb]);
    if (st >= 0)
        st = environment(a.job, err);
    return st < 0 ? st : walk(&a, err);
}
