/* Where the job stands, told on stderr: a line on a terminal that is written over, or an object a
 * second. One thread that sleeps; SIGUSR1 wakes it to print the line once, as dd does. */
#include "cli.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { STACK = 64 << 10, COLUMNS = 79 };

struct cli_progress {
    nrw_job *job;
    pthread_t thread;
    bool ticks; /* once a second; else only when asked */
    bool json, shown;
    _Atomic bool stop;
};

/* A signal handler can find nothing else: one job a process. */
static cli_progress only;
static sem_t wake;
static volatile sig_atomic_t asked;

static void on_usr1(int sig)
{
    int saved = errno;

    (void)sig;
    asked = 1;
    sem_post(&wake);
    errno = saved;
}

static void out(const char *text, size_t n)
{
    while (n > 0) {
        ssize_t done = write(STDERR_FILENO, text, n);
        if (done <= 0 && errno != EINTR)
            return;
        if (done > 0) {
            text += done;
            n -= (size_t)done;
        }
    }
}

/* ---- the line ---- */

/* "14.0 M", "812" */
static void count_text(double n, char *text, size_t cap)
{
    static const char *const units[] = {"", " k", " M", " G", " T"};
    size_t u = 0;

    while (n >= 999.5 && u < 4) {
        n /= 1000;
        u++;
    }
    snprintf(text, cap, u ? "%.1f%s" : "%.0f%s", n, units[u]);
}

static void duration_text(double s, char *text, size_t cap)
{
    long t = lround(s);

    if (t >= 3600)
        snprintf(text, cap, "%ld:%02ld:%02ld", t / 3600, t / 60 % 60, t % 60);
    else
        snprintf(text, cap, "%ld:%02ld", t / 60, t % 60);
}

enum { F_PHASE, F_PERCENT, F_ROWS, F_RATE, F_BYTES, F_RSS, F_SPILL, F_TIME, FIELDS };

typedef struct fields {
    char at[FIELDS][40];
} fields;

static void fill(const nrw_progress *p, fields *f)
{
    const double mib = 1 << 20;
    char text[24];

    memset(f, 0, sizeof *f);
    snprintf(f->at[F_PHASE], sizeof *f->at, "%.20s", p->phase);
    if (p->fraction >= 0)
        snprintf(f->at[F_PERCENT], sizeof *f->at, "%.0f %%", floor(p->fraction * 100));
    if (p->rows_in) {
        count_text((double)p->rows_in, text, sizeof text);
        snprintf(f->at[F_ROWS], sizeof *f->at, "%s rows", text);
    }
    if (p->bytes_in && p->seconds > 0)
        snprintf(f->at[F_BYTES], sizeof *f->at, "%.0f MB/s",
                 (double)p->bytes_in / 1e6 / p->seconds);
    if (p->rows_in && p->seconds > 0) {
        count_text((double)p->rows_in / p->seconds, text, sizeof text);
        snprintf(f->at[F_RATE], sizeof *f->at, "%s/s", text);
    }
    if (p->memory < 1e10)
        snprintf(f->at[F_RSS], sizeof *f->at, "RSS %.0f/%.0f MiB", (double)p->rss / mib,
                 (double)p->memory / mib);
    else
        snprintf(f->at[F_RSS], sizeof *f->at, "RSS %.0f MiB/%.1f GiB", (double)p->rss / mib,
                 (double)p->memory / mib / 1024);
    if (p->spill)
        snprintf(f->at[F_SPILL], sizeof *f->at, "spill %.0f MiB", ceil((double)p->spill / mib));
    else
        snprintf(f->at[F_SPILL], sizeof *f->at, "spill 0");
    if (p->fraction > 0) {
        duration_text(p->seconds * (1 - p->fraction) / p->fraction, text, sizeof text);
        snprintf(f->at[F_TIME], sizeof *f->at, "%s left", text);
    } else {
        duration_text(p->seconds, text, sizeof text);
        snprintf(f->at[F_TIME], sizeof *f->at, "%s", text);
    }
}

static size_t length(const fields *f)
{
    size_t n = 0;

    for (int i = 0; i < FIELDS; i++)
        if (f->at[i][0])
            n += strlen(f->at[i]) + (n ? 2 : 0);
    return n;
}

static size_t terminal_columns(void)
{
    struct winsize w;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) != 0 || w.ws_col == 0 || w.ws_col > COLUMNS)
        return COLUMNS;
    return w.ws_col > 1 ? w.ws_col - 1u : 1;
}

/* What a narrow terminal does without, first the least missed. */
static void fit(fields *f, size_t columns)
{
    static const int less[] = {F_BYTES, F_RATE, F_SPILL, F_RSS, F_ROWS, F_TIME, F_PERCENT};

    for (size_t i = 0; i < sizeof less / sizeof *less && length(f) > columns; i++)
        f->at[less[i]][0] = '\0';
}

static void print_line(cli_progress *c, bool over)
{
    char text[FIELDS * 44];
    nrw_progress p;
    fields f;
    size_t n = 0;

    nrw_job_progress(c->job, &p);
    fill(&p, &f);
    fit(&f, terminal_columns());
    if (over)
        n += (size_t)snprintf(text, sizeof text, "\r");
    for (int i = 0, first = 1; i < FIELDS; i++)
        if (f.at[i][0]) {
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", first ? "" : "  ", f.at[i]);
            first = 0;
        }
    n += (size_t)snprintf(text + n, sizeof text - n, over ? "\x1b[K" : "\n");
    out(text, n);
    c->shown = over;
}

static void clear_line(cli_progress *c)
{
    if (c->shown)
        out("\r\x1b[K", 4);
    c->shown = false;
}

/* ---- JSON ---- */

static void number(char *text, size_t cap, double x, const char *fmt)
{
    if (x >= 0 && isfinite(x))
        snprintf(text, cap, fmt, x);
    else
        snprintf(text, cap, "null");
}

static void print_json(cli_progress *c, const char *event)
{
    char text[640], fraction[32], eta[32];
    nrw_progress p;
    int n;

    nrw_job_progress(c->job, &p);
    number(fraction, sizeof fraction, p.fraction, "%.6f");
    number(eta, sizeof eta, p.fraction > 0 ? p.seconds * (1 - p.fraction) / p.fraction : -1,
           "%.1f");
    n = snprintf(text, sizeof text,
                 "{\"event\":\"%s\",\"phase\":\"%s\",\"fraction\":%s,\"rows_in\":%llu,"
                 "\"rows_out\":%llu,\"bytes_in\":%llu,\"bytes_out\":%llu,\"rss\":%llu,"
                 "\"memory\":%llu,\"spill\":%llu,\"seconds\":%.3f,\"eta_s\":%s}\n",
                 event, p.phase, fraction, (unsigned long long)p.rows_in,
                 (unsigned long long)p.rows_out, (unsigned long long)p.bytes_in,
                 (unsigned long long)p.bytes_out, (unsigned long long)p.rss,
                 (unsigned long long)p.memory, (unsigned long long)p.spill, p.seconds, eta);
    out(text, (size_t)n);
}

/* ---- the thread ---- */

/* True at a tick, false when it was woken. */
static bool sleep_on(const cli_progress *c, struct timespec *next)
{
    int r;

    if (!c->ticks) {
        while (sem_wait(&wake) != 0)
            ;
        return false;
    }
    do
        r = sem_clockwait(&wake, CLOCK_MONOTONIC, next);
    while (r != 0 && errno == EINTR);
    if (r == 0)
        return false;
    next->tv_sec++;
    return true;
}

static void *watch(void *self)
{
    cli_progress *c = self;
    struct timespec next;

    clock_gettime(CLOCK_MONOTONIC, &next);
    next.tv_sec++;
    for (;;) {
        bool tick = sleep_on(c, &next);
        if (atomic_load(&c->stop))
            return NULL;
        if (tick && c->json) {
            print_json(c, "progress");
        } else if (tick) {
            print_line(c, true);
        } else if (asked) {
            asked = 0;
            clear_line(c);
            print_line(c, false);
        }
    }
}

cli_progress *cli_progress_start(nrw_job *job, const cli_options *cli)
{
    struct sigaction sa = {.sa_handler = on_usr1, .sa_flags = SA_RESTART};
    bool told = !cli->quiet && cli->progress != PROGRESS_NONE;
    pthread_attr_t attributes;
    sigset_t all, before;
    bool started;

    if (!told || sem_init(&wake, 0, 0) != 0) {
        signal(SIGUSR1, SIG_IGN);
        return NULL;
    }
    only = (cli_progress){.job = job, .json = cli->progress == PROGRESS_JSON};
    only.ticks =
        only.json || (isatty(STDERR_FILENO) && !(cli->rows_to_stdout && isatty(STDOUT_FILENO)));
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    sigfillset(&all); /* signals are for the threads that work */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    started = pthread_create(&only.thread, &attributes, watch, &only) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (!started)
        return NULL;
    sigaction(SIGUSR1, &sa, NULL);
    return &only;
}

void cli_progress_stop(cli_progress *c, nrw_status st)
{
    if (!c)
        return;
    atomic_store(&c->stop, true);
    sem_post(&wake);
    pthread_join(c->thread, NULL);
    signal(SIGUSR1, SIG_IGN);
    if (c->json)
        print_json(c, st < 0 ? "error" : "done");
    else
        clear_line(c);
}
