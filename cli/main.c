#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static nrw_job *interruptible;
static volatile sig_atomic_t caught;

/* The first signal asks the job to stop; a second one ends the process at once. A file's staging
 * has no name, so nothing is left behind; a dataset's is removed by the next run, or by recover. */
static void on_signal(int sig)
{
    if (caught)
        _exit(128 + sig);
    caught = sig;
    nrw_job_cancel(interruptible);
}

/* Verbs that look have nothing to undo, but for programs: there signals end the process as ever. */
static void catch_signals(nrw_job *job, const cli_options *cli)
{
    struct sigaction sa = {.sa_handler = on_signal};

    signal(SIGPIPE, SIG_IGN);
    if (!cli->verb->moves_rows && !cli->pipes)
        return;
    interruptible = job;
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
}

static int exit_code(nrw_status st)
{
    switch (st) {
    case NRW_OK:
    case NRW_END: return EXIT_DONE;
    case NRW_REJECTED: return EXIT_REJECTED;
    case NRW_E_ARG:
    case NRW_E_SQL: return EXIT_USAGE;
    case NRW_E_MEMLIMIT: return EXIT_MEMORY;
    case NRW_E_SERVER: return EXIT_SERVER;
    case NRW_E_CANCELLED: return caught ? 128 + caught : EXIT_INTERRUPTED;
    case NRW_E_PIPE: return EXIT_PIPE;
    default: return EXIT_FAILED;
    }
}

/* Names come from files: what would break the line, or move the cursor, does not go out. */
static void one_line(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7F)
            *text = ' ';
}

static int complain(nrw_status st, const nrw_error *err)
{
    char text[1600];

    if (st != NRW_E_PIPE) {
        nrw_error_print(err, text, sizeof text);
        one_line(text);
        fprintf(stderr, "narrows: %s\n", text);
    }
    return exit_code(st);
}

/* ---- report ---- */

static void put_json_string(FILE *f, const char *s)
{
    fputc('"', f);
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            fprintf(f, "\\%c", c);
        else if (c < 0x20)
            fprintf(f, "\\u%04x", c);
        else
            fputc(c, f);
    }
    fputc('"', f);
}

/* The library's object, with the command and its exit code put in front. */
static void put_report(FILE *f, int argc, char **argv, int code, const char *json)
{
    fputs("{\"command\":[", f);
    for (int i = 0; i < argc; i++) {
        if (i)
            fputc(',', f);
        put_json_string(f, i ? argv[i] : "narrows");
    }
    fprintf(f, "],\"exit\":%d,%s", code, json + 1);
}

static nrw_status write_report(nrw_job *job, const char *path, int argc, char **argv, int code,
                               nrw_error *err)
{
    nrw_status st;
    char *json;
    FILE *f;
    bool failed;

    st = nrw_job_report(job, &json, err);
    if (st < 0)
        return st;
    f = strcmp(path, "-") == 0 ? stderr : fopen(path, "we");
    if (f)
        put_report(f, argc, argv, code, json);
    failed = !f || ferror(f);
    if (f && f != stderr)
        failed |= fclose(f) != 0;
    nrw_free(json);
    if (!failed)
        return NRW_OK;
    err->status = NRW_E_IO;
    snprintf(err->object, sizeof err->object, "%.255s", path);
    snprintf(err->message, sizeof err->message, "cannot write the report: %s",
             strerrordesc_np(errno));
    return NRW_E_IO;
}

/* ---- verbs ---- */

/* On a terminal the whole summary; in logs its first line, rejects and notes. */
static void print_summary(nrw_job *job, const cli_options *cli)
{
    bool whole = isatty(STDERR_FILENO);
    char *text, *line, *rest;

    if (cli->quiet || cli->rows_to_stdout || cli->progress == PROGRESS_JSON ||
        nrw_job_summary(job, &text, NULL) < 0)
        return;
    for (line = text; *line; line = rest) {
        size_t n = strcspn(line, "\n");
        rest = line + n + (line[n] == '\n');
        if (whole || line == text ||
            (strncmp(line, "rows  ", 6) != 0 && strncmp(line, "peak  ", 6) != 0 &&
             strncmp(line, "pipe  ", 6) != 0))
            fprintf(stderr, "%.*s\n", (int)n, line);
    }
    nrw_free(text);
}

static int show_plan(nrw_job *job, const cli_options *cli, nrw_error *err)
{
    nrw_status st;
    char *text;

    st = nrw_job_plan(job, cli->plan_json, &text, err);
    if (st < 0)
        return complain(st, err);
    puts(text);
    nrw_free(text);
    return EXIT_DONE;
}

static int run(nrw_job *job, const cli_options *cli, int argc, char **argv, nrw_error *err)
{
    cli_progress *progress;
    nrw_status st, reported;
    int code;

    catch_signals(job, cli);
    progress = cli_progress_start(job, cli);
    st = nrw_job_run(job, err);
    cli_progress_stop(progress, st);
    code = st < 0 ? complain(st, err) : exit_code(st);
    if (st >= 0)
        print_summary(job, cli);
    if (cli->report) {
        *err = (nrw_error)NRW_ERROR_INIT;
        reported = write_report(job, cli->report, argc, argv, code, err);
        if (reported < 0)
            code = complain(reported, err);
    }
    return code;
}

/* What the command itself printed on standard output must have arrived. */
static int flushed(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    if (errno == EPIPE)
        return EXIT_PIPE;
    fprintf(stderr, "narrows: standard output: cannot write: %s\n", strerrordesc_np(errno));
    return EXIT_FAILED;
}

static int help(const char *topic)
{
    nrw_error err = NRW_ERROR_INIT;
    nrw_job *job;
    nrw_status st;

    if (cli_help(topic))
        return EXIT_DONE;
    st = nrw_job_new(topic, &job, &err); /* its message knows better words */
    return complain(st, &err);
}

int main(int argc, char **argv)
{
    cli_options cli = {0};
    nrw_error err = NRW_ERROR_INIT;
    nrw_job *job = NULL;
    nrw_status st;
    int code = EXIT_DONE;

    nrw_process_init();
    signal(SIGPIPE, SIG_IGN);
    st = cli_parse(argc, argv, &cli, &job, &err);
    if (st < 0)
        code = complain(st, &err);
    else if (cli.version)
        printf("narrows %s\n", nrw_version());
    else if (cli.help)
        code = help(cli.topic);
    else if (cli.plan)
        code = show_plan(job, &cli, &err);
    else
        code = run(job, &cli, argc, argv, &err);
    nrw_job_free(job);
    return flushed(code);
}
