#include "temp_folder.h"

#include "io/glob.h"

/* What a pattern gives, as names inside the folder with spaces between. */
static void expect(temp_folder *t, const char *pattern, const char *want)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(1 << 20);
    char got[2000] = "", full[300];
    path_list list;
    arena *a;

    assert_ok(arena_new(m, &a, &err), &err);
    snprintf(full, sizeof full, "%s/%s", t->path, pattern);
    nrw_status st = glob_expand(a, full, &list, &err);
    if (!want) {
        assert_status(NRW_E_NOTFOUND, st, &err);
        assert_string_equal(err.object, full);
    } else {
        assert_ok(st, &err);
        for (size_t i = 0; i < list.n; i++) {
            size_t len = strlen(got);
            assert_memory_equal(list.at[i], t->path, strlen(t->path));
            snprintf(got + len, sizeof got - len, "%s%s", i ? " " : "",
                     list.at[i] + strlen(t->path) + 1);
        }
        assert_string_equal(got, want);
    }
    arena_free(a);
    test_mem_close(m);
}

static void patterns(void **state)
{
    static const char *const files[] = {"a.parquet",
                                        "b.parquet",
                                        "B.parquet",
                                        "c.csv",
                                        ".hidden.parquet",
                                        "_meta",
                                        "x/1.parquet",
                                        "x/2.parquet",
                                        "x/y/3.parquet",
                                        "x/y/z/4.csv",
                                        "x/_tmp/9",
                                        "x/.git/8",
                                        "odd[1].csv",
                                        "w/1.parquet",
                                        "year=2024/m.parquet",
                                        "year=2023/m.parquet"};
    temp_folder t;

    (void)state;
    temp_folder_make(&t);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        temp_write(&t, files[i], "x", 1);
    assert_int_equal(mkdir(temp_path(&t, "empty"), 0777), 0);
    expect(&t, "a.parquet", "a.parquet");
    expect(&t, "*.parquet", "B.parquet a.parquet b.parquet");
    expect(&t, "[ab].parquet", "a.parquet b.parquet");
    expect(&t, "[!a].parquet", "B.parquet b.parquet");
    expect(&t, "?.csv", "c.csv");
    expect(&t, "{c.csv,a.parquet}", "a.parquet c.csv");
    expect(&t, "{a,b}.parquet", "a.parquet b.parquet");
    expect(&t, "{x/{1,2},a}.parquet", "a.parquet x/1.parquet x/2.parquet");
    expect(&t, "{a,none}.parquet", "a.parquet");
    expect(&t, "{a,a}.parquet", "a.parquet");
    expect(&t, "*/1.parquet", "w/1.parquet x/1.parquet");
    expect(&t, "year=*/m.parquet", "year=2023/m.parquet year=2024/m.parquet");
    expect(&t, "year=*", "year=2023/m.parquet year=2024/m.parquet");
    expect(&t, "**/*.csv", "c.csv odd[1].csv x/y/z/4.csv");
    expect(&t, "x/**/*.parquet", "x/1.parquet x/2.parquet x/y/3.parquet");
    expect(&t, "x/**/y/*.parquet", "x/y/3.parquet");
    expect(&t, "x/**", "x/1.parquet x/2.parquet x/_tmp/9 x/y/3.parquet x/y/z/4.csv");
    expect(&t, "**/**/4.csv", "x/y/z/4.csv");
    expect(&t, ".h*", ".hidden.parquet");
    expect(&t, "odd[1].csv", "odd[1].csv"); /* there under that very name */
    expect(&t, "odd\\[?].csv", "odd[1].csv");
    expect(&t, "x", "x/1.parquet x/2.parquet x/y/3.parquet x/y/z/4.csv");
    expect(&t, "x/y/", "x/y/3.parquet x/y/z/4.csv");
    expect(&t, "_*", "_meta");
    expect(&t, "none", NULL);
    expect(&t, "*.json", NULL);
    expect(&t, "none/*", NULL);
    expect(&t, "a.parquet/*", NULL);
    expect(&t, "empty", NULL);
    temp_folder_remove(&t);
}

static void links(void **state)
{
    temp_folder t;

    (void)state;
    temp_folder_make(&t);
    temp_write(&t, "d/a", "x", 1);
    assert_int_equal(symlink("..", temp_path(&t, "d/up")), 0);
    assert_int_equal(symlink("a", temp_path(&t, "d/b")), 0);
    assert_int_equal(symlink("none", temp_path(&t, "d/dangling")), 0);
    expect(&t, "d", "d/a d/b");
    expect(&t, "**/a", "d/a");
    expect(&t, "d/*", "d/a d/b d/up/d/a d/up/d/b");
    temp_folder_remove(&t);
}

static void relative_names_stay_relative(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(1 << 20);
    temp_folder t;
    path_list list;
    char old[500];
    arena *a;

    (void)state;
    temp_folder_make(&t);
    temp_write(&t, "d/a", "x", 1);
    assert_non_null(getcwd(old, sizeof old));
    assert_int_equal(chdir(t.path), 0);
    assert_ok(arena_new(m, &a, &err), &err);
    assert_ok(glob_expand(a, "*/a", &list, &err), &err);
    assert_string_equal(list.at[0], "d/a");
    assert_ok(glob_expand(a, "d/", &list, &err), &err);
    assert_string_equal(list.at[0], "d/a");
    assert_ok(glob_expand(a, "**/a", &list, &err), &err);
    assert_string_equal(list.at[0], "d/a");
    assert_ok(glob_expand(a, "-", &list, &err), &err);
    assert_string_equal(list.at[0], "-");
    assert_int_equal(chdir(old), 0);
    arena_free(a);
    temp_folder_remove(&t);
    test_mem_close(m);
}

static void many_names_are_charged(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    mem *m = test_mem_open(200 << 10);
    path_list list;
    temp_folder t;
    char pattern[200];
    arena *a;

    (void)state;
    temp_folder_make(&t);
    for (int i = 0; i < 3000; i++) {
        char name[20];
        snprintf(name, sizeof name, "%d", i * 7919 % 3000);
        temp_write(&t, name, "", 0);
    }
    snprintf(pattern, sizeof pattern, "%s/*", t.path);
    assert_ok(arena_new(m, &a, &err), &err);
    assert_status(NRW_E_MEMLIMIT, glob_expand(a, pattern, &list, &err), &err);
    assert_int_equal(list.n, 0);
    arena_free(a);
    mem_set_limit(m, 1 << 20);
    assert_ok(arena_new(m, &a, &err), &err);
    assert_ok(glob_expand(a, pattern, &list, &err), &err);
    assert_int_equal(list.n, 3000);
    for (size_t i = 1; i < list.n; i++)
        assert_true(strcmp(list.at[i - 1], list.at[i]) < 0);
    arena_free(a);
    /* hostile: 2^40 alternatives */
    pattern[0] = '\0';
    for (int i = 0; i < 40; i++)
        strncat(pattern, "{a,}", sizeof pattern - strlen(pattern) - 1);
    assert_ok(arena_new(m, &a, &err), &err);
    assert_true(glob_expand(a, pattern, &list, &err) < 0);
    arena_free(a);
    temp_folder_remove(&t);
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns),
        cmocka_unit_test(links),
        cmocka_unit_test(relative_names_stay_relative),
        cmocka_unit_test(many_names_are_charged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
