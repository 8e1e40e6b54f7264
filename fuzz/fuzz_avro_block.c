/* Blocks of random schemas: the first bytes choose a schema, the others are a block's records. */
#include "avro_check.h"

enum { MOST_FIELDS = 6, MOST_DEEP = 4, MOST_TEXT = 8000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct choice {
    const uint8_t *p;
    size_t n;
    char *out;
    size_t len;
    unsigned names;
} choice;

static unsigned choose(choice *c, unsigned below)
{
    if (c->n == 0)
        return 0;
    c->n--;
    return *c->p++ % below;
}

static void say(choice *c, const char *text)
{
    const size_t n = strlen(text);

    if (c->len + n < MOST_TEXT) {
        memcpy(c->out + c->len, text, n + 1);
        c->len += n;
    }
}

static void say_name(choice *c)
{
    char name[32];

    snprintf(name, sizeof name, "\"name\":\"n%u\",", ++c->names);
    say(c, name);
}

static const char *const leaves[] = {
    "\"null\"",
    "\"boolean\"",
    "\"int\"",
    "\"long\"",
    "\"float\"",
    "\"double\"",
    "\"bytes\"",
    "\"string\"",
    "{\"type\":\"int\",\"logicalType\":\"date\"}",
    "{\"type\":\"int\",\"logicalType\":\"time-millis\"}",
    "{\"type\":\"long\",\"logicalType\":\"timestamp-nanos\"}",
    "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":9,\"scale\":2}",
    "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":76}",
    "{\"type\":\"bytes\",\"logicalType\":\"big-decimal\"}",
    "{\"type\":\"string\",\"logicalType\":\"uuid\"}"};

#define LEAVES (sizeof leaves / sizeof *leaves)

static void say_type(choice *c, int depth);

static void say_fields(choice *c, int depth)
{
    const unsigned n = choose(c, MOST_FIELDS);
    char field[64];

    say(c, "{\"type\":\"record\",");
    say_name(c);
    say(c, "\"fields\":[");
    for (unsigned i = 0; i < n; i++) {
        snprintf(field, sizeof field, "%s{\"name\":\"f%u\",\"type\":", i ? "," : "", i);
        say(c, field);
        say_type(c, depth + 1);
        say(c, "}");
    }
    say(c, "]}");
}

static void say_fixed(choice *c)
{
    char size[64];

    say(c, "{\"type\":\"fixed\",");
    say_name(c);
    snprintf(size, sizeof size, "\"size\":%u,\"logicalType\":\"%s\"}", 1 + choose(c, 40),
             choose(c, 2) ? "duration" : "uuid");
    say(c, size);
}

static void say_type(choice *c, int depth)
{
    switch (depth < MOST_DEEP ? choose(c, 10) : 9) {
    case 0: say_fields(c, depth); break;
    case 1:
        say(c, "{\"type\":\"array\",\"items\":");
        say_type(c, depth + 1);
        say(c, "}");
        break;
    case 2:
        say(c, "{\"type\":\"map\",\"values\":");
        say_type(c, depth + 1);
        say(c, "}");
        break;
    case 3:
        say(c, "[\"null\",");
        say(c, leaves[1 + choose(c, LEAVES - 1)]);
        say(c, "]");
        break;
    case 4: say(c, "[\"string\",\"null\",\"long\",\"boolean\"]"); break;
    case 5:
        say(c, "{\"type\":\"enum\",");
        say_name(c);
        say(c, "\"symbols\":[\"A\",\"B\",\"C\"]}");
        break;
    case 6: say_fixed(c); break;
    default: say(c, leaves[choose(c, LEAVES)]); break;
    }
}

/* "Binary Encoding" of a long that is not negative. */
static size_t put_long(uint8_t *to, uint64_t x)
{
    size_t n = 0;

    for (x <<= 1; x >= 128; x >>= 7)
        to[n++] = (uint8_t)(x | 128);
    to[n++] = (uint8_t)x;
    return n;
}

static size_t put_text(uint8_t *to, const char *text, size_t len)
{
    const size_t n = put_long(to, len);

    memcpy(to + n, text, len);
    return n + len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t marker[16] = "sixteen bytes...";
    static char text[MOST_TEXT];
    choice c = {.p = data, .n = size < 100 ? size / 2 : 50, .out = text};
    const size_t used = c.n;
    uint8_t *file = malloc(size + MOST_TEXT + 200);
    size_t n = 4;

    hold(file != NULL);
    const unsigned rows = 1 + choose(&c, 20);
    say_fields(&c, 0);
    memcpy(file, "Obj\1", 4);
    n += put_long(file + n, 1);
    n += put_text(file + n, "avro.schema", strlen("avro.schema"));
    n += put_text(file + n, text, c.len);
    file[n++] = 0;
    memcpy(file + n, marker, 16);
    n += 16;
    n += put_long(file + n, rows);
    n += put_long(file + n, size - used);
    memcpy(file + n, data + used, size - used);
    n += size - used;
    memcpy(file + n, marker, 16);
    avro_check(file, n + 16);
    free(file);
    return 0;
}
