#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static nrw_status usage(nrw_error *err, const char *what, const char *arg)
{
    if (err) {
        err->status = NRW_E_ARG;
        snprintf(err->message, sizeof err->message, what, arg);
    }
    return NRW_E_ARG;
}

static const nrw_option *find_option(const char *name, char letter)
{
    const nrw_option *o;

    for (size_t i = 0; (o = nrw_option_at(i)); i++)
        if (letter ? o->letter == letter : strcmp(o->name, name) == 0)
            return o;
    return NULL;
}

typedef struct arguments {
    int argc, at;
    char **argv;
    char *words[4096];
    int n_words;
    bool ended; /* after -- */
} arguments;

/* The value of an option: behind its '=', or the next argument. */
static nrw_status option_value(arguments *a, const char *inline_value, const char *shown,
                               const char **value, nrw_error *err)
{
    *value = inline_value;
    if (inline_value)
        return NRW_OK;
    if (a->at + 1 >= a->argc)
        return usage(err, "%s needs a value", shown);
    *value = a->argv[++a->at];
    return NRW_OK;
}

static nrw_status own_option(arguments *a, const char *name, const char *inline_value,
                             cli_options *cli, bool *taken, nrw_error *err)
{
    const char *value;

    *taken = true;
    if (strcmp(name, "help") == 0) {
        cli->help = true;
    } else if (strcmp(name, "version") == 0) {
        cli->version = true;
    } else if (strcmp(name, "quiet") == 0) {
        cli->quiet = true;
    } else if (strcmp(name, "report") == 0) {
        return option_value(a, inline_value, "--report", &cli->report, err);
    } else if (strcmp(name, "progress") == 0) {
        nrw_status st = option_value(a, inline_value, "--progress", &value, err);
        if (st < 0)
            return st;
        if (strcmp(value, "none") == 0)
            cli->progress = PROGRESS_NONE;
        else if (strcmp(value, "json") == 0)
            cli->progress = PROGRESS_JSON;
        else if (strcmp(value, "auto") == 0)
            cli->progress = PROGRESS_AUTO;
        else
            return usage(err, "--progress is auto, none or json, not %s", value);
    } else {
        *taken = false;
    }
    return NRW_OK;
}

static nrw_status long_option(arguments *a, cli_options *cli, nrw_job *job, nrw_error *err)
{
    const char *arg = a->argv[a->at] + 2, *eq = strchr(arg, '=');
    const nrw_option *o;
    const char *value = "";
    char name[64], shown[72];
    nrw_status st;
    bool taken;

    snprintf(name, sizeof name, "%.*s", (int)(eq ? (size_t)(eq - arg) : strlen(arg)), arg);
    snprintf(shown, sizeof shown, "--%s", name);
    st = own_option(a, name, eq ? eq + 1 : NULL, cli, &taken, err);
    if (st < 0 || taken)
        return st;
    o = find_option(name, 0);
    if (o && o->argument)
        st = option_value(a, eq ? eq + 1 : NULL, shown, &value, err);
    else if (eq)
        return usage(err, "%s takes no value", shown);
    if (st < 0)
        return st;
    if (strcmp(name, "format") == 0)
        cli->format = value;
    return nrw_job_option(job, name, value, err);
}

/* -n 10, -n10, -q, -f json */
static nrw_status short_option(arguments *a, cli_options *cli, nrw_job *job, nrw_error *err)
{
    const char *arg = a->argv[a->at];
    const nrw_option *o;
    const char *value;
    nrw_status st;

    if (strcmp(arg, "-q") == 0) {
        cli->quiet = true;
        return NRW_OK;
    }
    if (strcmp(arg, "-h") == 0) {
        cli->help = true;
        return NRW_OK;
    }
    o = find_option(NULL, arg[1]);
    if (!o)
        return usage(err, "there is no option %s", arg);
    st = option_value(a, arg[2] ? arg + 2 : NULL, arg, &value, err);
    if (st < 0)
        return st;
    if (arg[1] == 'f')
        cli->format = value;
    return nrw_job_option(job, o->name, value, err);
}

static nrw_status give_words(arguments *a, nrw_job *job, bool writes, nrw_error *err)
{
    int n = a->n_words;

    if (writes && n > 0) {
        nrw_status st = nrw_job_target(job, a->words[--n], err);
        if (st < 0)
            return st;
    }
    for (int i = 0; i < n; i++) {
        nrw_status st = nrw_job_source(job, a->words[i], err);
        if (st < 0)
            return st;
    }
    return NRW_OK;
}

static bool verb_writes(const char *verb)
{
    const nrw_verb *v;

    for (size_t i = 0; (v = nrw_verb_at(i)); i++)
        if (strcmp(v->name, verb) == 0)
            return v->moves_rows;
    return false;
}

static nrw_status walk(arguments *a, cli_options *cli, nrw_job *job, nrw_error *err)
{
    for (; a->at < a->argc; a->at++) {
        char *arg = a->argv[a->at];
        nrw_status st = NRW_OK;

        if (a->ended || arg[0] != '-' || !arg[1]) {
            if (a->n_words == (int)(sizeof a->words / sizeof *a->words))
                return usage(err, "more than 4,096 files; %s", "give them with --files-from");
            a->words[a->n_words++] = arg;
        } else if (strcmp(arg, "--") == 0) {
            a->ended = true;
        } else if (arg[1] == '-') {
            st = long_option(a, cli, job, err);
        } else {
            st = short_option(a, cli, job, err);
        }
        if (st < 0)
            return st;
    }
    return NRW_OK;
}

/* Options may stand before the verb: it is the first word that is none. */
static int verb_at(int argc, char **argv)
{
    int i = 1;

    while (i < argc && argv[i][0] == '-' && argv[i][1])
        i++;
    return i;
}

nrw_status cli_parse(int argc, char **argv, cli_options *cli, nrw_job **job, nrw_error *err)
{
    arguments a = {.argc = argc, .argv = argv, .at = 1};
    int verb = verb_at(argc, argv);
    nrw_status st;

    *job = NULL;
    for (int i = 1; i < verb; i++) {
        if (strcmp(argv[i], "--version") == 0)
            cli->version = true;
        else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            cli->help = true;
        else
            return usage(err, "%s stands before the verb; options of a verb stand behind it", argv[i]);
    }
    if (cli->version || cli->help || verb >= argc) {
        cli->help = !cli->version;
        return NRW_OK;
    }
    if (strcmp(argv[verb], "plan") == 0 && ++verb < argc)
        cli->plan = true;
    if (verb >= argc)
        return usage(err, "plan takes a verb and its arguments%s", "");
    st = nrw_job_new(argv[verb], job, err);
    a.at = verb + 1;
    if (st >= 0)
        st = walk(&a, cli, *job, err);
    if (st >= 0)
        st = give_words(&a, *job, verb_writes(argv[verb]), err);
    return st;
}
