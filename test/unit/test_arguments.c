/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Wrong arguments, or at a wrong time, to every function of both tables (see arguments.h): the code
 * of the specification, no PIN try spent, no operation lost.
 *
 *   UNIT_ROWS=1 test-unit-arguments    prints every row
 */
#include "arguments.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* One call to be made: a row of one of the tables, or derived from one. */
struct attempt {
    const struct good_row *good;
    const struct call_row *function;
    enum during during;
    enum value value[CALL_ARGUMENTS];
    struct codes codes;
    enum after after;
    bool right; /* right arguments: it may have effects */
    char what[96];
};

static struct {
    struct app *app;
    struct material material;
    bool ready;
    CK_FUNCTION_LIST_3_0 table;
    const char *table_name;
    unsigned rows, calls, wrong;
} run;

/* The current row, printed after a crash. */
static char current[128];

/* cmocka would run the teardown, where C_Finalize waits for the call that crashed. */
static void crashed(int signal_number)
{
    static const char text[] = "crashed in: ";
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    (void)!write(STDERR_FILENO, current, strlen(current));
    (void)!write(STDERR_FILENO, "\n", 1);
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
}

static bool allowed(const struct codes *codes, CK_RV rv)
{
    bool fits = rv == codes->code[0];
    for (unsigned i = 1; i < CODES; i++)
        fits = fits || (codes->code[i] != CKR_OK && rv == codes->code[i]);
    return fits;
}

static void report(const struct attempt *attempt, const char *of, unsigned long code)
{
    print_error("%s %s (%s): %s 0x%lx; allowed", run.table_name, attempt->what,
                attempt->good->section, of, code);
    for (unsigned i = 0; i < CODES && (i == 0 || attempt->codes.code[i] != CKR_OK); i++)
        print_error(" 0x%lx", attempt->codes.code[i]);
    print_error("\n");
    run.wrong++;
}

static void prepare(enum during during)
{
    if (!run.ready || during == LOGGED_OUT || during == CLOSED)
        material_open(&run.material, run.app, during);
    run.ready = true;
    if (during != CLOSED)
        (void)C_SessionCancel(run.material.session,
                              CKF_SIGN | CKF_VERIFY | CKF_DIGEST | CKF_FIND_OBJECTS);
    during_begin(&run.table, &run.material, during);
    material_start();
}

/* Whether a digest is under way during the call. */
static bool has_background(const struct attempt *attempt)
{
    return !attempt->right && attempt->during != CLOSED && attempt->during != DIGESTING &&
           attempt->during != DIGESTED && strncmp(attempt->function->name, "C_Digest", 8) != 0 &&
           strcmp(attempt->function->name, "C_SessionCancel") != 0;
}

static void check_after(const struct attempt *attempt, const int before[PINS_MAX], bool background)
{
    int now[PINS_MAX];
    (void)app_tries(run.app, now);
    if (memcmp(before, now, sizeof now) != 0)
        report(attempt, "a PIN try is gone after", 0);
    if (background && !during_end(&run.table, &run.material, DIGESTED))
        report(attempt, "a digest under way is lost after", 0);
    if (attempt->after != ANY &&
        during_end(&run.table, &run.material, attempt->during) != (attempt->after == ALIVE))
        report(attempt,
               attempt->after == ALIVE ? "lost what was under way after"
                                       : "did not end what was under way with",
               0);
    run.ready = material_holds(&run.material, attempt->during);
}

static void try(const struct attempt *attempt)
{
    int before[PINS_MAX];
    union argument arguments[CALL_ARGUMENTS];
    /* Functions of 3.0 only are not in the table of 2.40. */
    CK_RV (*there)(void) = NULL;
    memcpy(&there, (const char *)&run.table + attempt->function->offset, sizeof there);
    if (there == NULL)
        return;
    (void)snprintf(current, sizeof current, "%s %s", run.table_name, attempt->what);
    if (getenv("UNIT_ROWS") != NULL)
        print_message("%s\n", current);
    prepare(attempt->during);
    bool background = has_background(attempt) && attempt->after == ANY;
    if (background)
        during_begin(&run.table, &run.material, DIGESTED);
    for (unsigned i = 0; i < CALL_ARGUMENTS; i++)
        arguments[i] = material_value(&run.material, attempt->value[i]);
    (void)app_tries(run.app, before);
    CK_RV rv = attempt->function->call(&run.table, arguments);
    run.calls++;
    if (!allowed(&attempt->codes, rv))
        report(attempt, "gave", rv);
    check_after(attempt, before, background);
}

/* ---- Rows ------------------------------------------------------------------------------- */

static struct attempt attempt_of(const struct good_row *good)
{
    struct attempt attempt = {.good = good,
                              .function = call_find(good->name),
                              .during = good->during,
                              .codes = good->codes};
    memcpy(attempt.value, good->value, sizeof attempt.value);
    (void)snprintf(attempt.what, sizeof attempt.what, "%s", good->name);
    return attempt;
}

static const char *name_of(enum value value)
{
    static const char *const names[VALUES] = {
        [NIL] = "NULL or 0",
        [ONES] = "all ones",
        [UNKNOWN_SLOT] = "unknown",
        [CLOSED_SESSION] = "closed",
        [FOREIGN_OBJECT] = "of the other token",
        [UNKNOWN_OBJECT] = "unknown",
    };
    return names[value] != NULL ? names[value] : "odd";
}

static struct attempt replace(const struct good_row *good, unsigned argument, enum value value)
{
    struct attempt attempt = attempt_of(good);
    attempt.value[argument] = value;
    (void)snprintf(attempt.what, sizeof attempt.what, "%s, during %d, argument %u %s (%d)",
                   good->name, (int)good->during, argument + 1, name_of(value), (int)value);
    return attempt;
}

/* Whether a row of arguments_odd[] replaces the derived one. */
static bool is_overridden(const struct good_row *good, unsigned argument, enum value value)
{
    for (size_t i = 0; i < arguments_odd_count; i++) {
        const struct odd_row *odd = &arguments_odd[i];
        if (strcmp(odd->name, good->name) == 0 && odd->argument == argument &&
            odd->value == value && odd->during == good->during)
            return true;
    }
    return false;
}

/* C_Sign and the like, but not C_SignInit: a call that fails ends the operation (5.10 to 5.12). */
static bool ends_when_it_fails(const struct good_row *good)
{
    return good->during >= DIGESTING && good->during <= VERIFYING_RAW &&
           (strstr(good->name, "Update") != NULL || strstr(good->name, "Final") != NULL ||
            strcmp(good->name, "C_Digest") == 0 || strcmp(good->name, "C_Sign") == 0 ||
            strcmp(good->name, "C_Verify") == 0);
}

/* A row for `argument` being `value`; a function that is not supported may return that instead. */
static void derive(const struct good_row *good, unsigned argument, enum value value, CK_RV code)
{
    if (is_overridden(good, argument, value))
        return;
    struct attempt attempt = replace(good, argument, value);
    CK_RV refusal = good->codes.code[0];
    attempt.codes = (struct codes){{code, refusal != CKR_NO_EVENT ? refusal : CKR_OK}};
    if (code == CKR_SESSION_HANDLE_INVALID) /* 5.1.7: before all others */
        attempt.codes.code[1] = CKR_OK;
    attempt.after = good->during == LOGGED_OUT ? ANY : ALIVE;
    if (code == CKR_ARGUMENTS_BAD && ends_when_it_fails(good))
        attempt.after = OVER;
    if (good->during == IDLE)
        attempt.after = ANY;
    run.rows++;
    try(&attempt);
}

/* A bad session comes before all bad arguments (5.1.7: 5.1.2 before 5.1.6). */
static void derive_all_wrong(const struct good_row *good)
{
    struct attempt attempt = attempt_of(good);
    memset(attempt.value, 0, sizeof attempt.value);
    for (unsigned i = 1; i < CALL_ARGUMENTS; i++)
        attempt.value[i] = good->value[i] == FIVE || good->value[i] == ONE ? FIVE : NIL;
    attempt.codes = (struct codes){{CKR_SESSION_HANDLE_INVALID}};
    (void)snprintf(attempt.what, sizeof attempt.what, "%s, all arguments wrong", good->name);
    run.rows++;
    try(&attempt);
}

static void derive_from(const struct good_row *good)
{
    for (unsigned i = 0; i < CALL_ARGUMENTS; i++) {
        static const enum value sessions[] = {NIL, ONES, CLOSED_SESSION},
                                slots[] = {UNKNOWN_SLOT, ONES},
                                objects[] = {NIL, ONES, FOREIGN_OBJECT, UNKNOWN_OBJECT};
        enum value value = good->value[i];
        for (unsigned k = 0; value == SESSION && k < 3; k++)
            derive(good, i, sessions[k], CKR_SESSION_HANDLE_INVALID);
        for (unsigned k = 0; value == SLOT && k < 2; k++)
            derive(good, i, slots[k], CKR_SLOT_ID_INVALID);
        for (unsigned k = 0; value == CERTIFICATE && k < 4; k++)
            derive(good, i, objects[k], CKR_OBJECT_HANDLE_INVALID);
        for (unsigned k = 0; (value == KEY || value == PUBLIC_KEY) && k < 4; k++)
            derive(good, i, objects[k], CKR_KEY_HANDLE_INVALID);
        material_start();
        if (value >= SIGN_SHA256 && material_value(&run.material, value).p != NULL &&
            value != PIN_SIZE && value != USER && value != SIGNATURE_SIZE && value != SERIAL &&
            value != DONT_BLOCK && value != SHA256_TYPE && value != RSA_TYPE)
            derive(good, i, NIL, CKR_ARGUMENTS_BAD);
    }
    if (good->value[0] == SESSION && !is_overridden(good, 0, NIL))
        derive_all_wrong(good);
}

static const struct good_row *good_row_of(const char *name)
{
    for (size_t i = 0; i < arguments_good_count; i++)
        if (strcmp(arguments_good[i].name, name) == 0)
            return &arguments_good[i];
    return NULL;
}

static void run_table(CK_FUNCTION_LIST_3_0 table, const char *name)
{
    run.table = table;
    run.table_name = name;
    run.ready = false;
    run.rows = run.calls = run.wrong = 0;
    (void)signal(SIGSEGV, crashed);
    (void)signal(SIGBUS, crashed);
    for (size_t i = 0; i < arguments_good_count; i++) {
        struct attempt attempt = attempt_of(&arguments_good[i]);
        attempt.right = true;
        run.rows++;
        try(&attempt);
        derive_from(&arguments_good[i]);
    }
    for (size_t i = 0; i < arguments_odd_count; i++) {
        const struct odd_row *odd = &arguments_odd[i];
        struct attempt attempt = replace(good_row_of(odd->name), odd->argument, odd->value);
        attempt.during = odd->during;
        attempt.codes = odd->codes;
        attempt.after = odd->after;
        run.rows++;
        try(&attempt);
    }
    print_message("%s: %u rows, %u calls, %u wrong\n", name, run.rows, run.calls, run.wrong);
    assert_int_equal(run.wrong, 0);
}

/* ---- Tests ------------------------------------------------------------------------------ */

static void every_function_has_a_row(void **state)
{
    (void)state;
    assert_int_equal(CALLS_2_40, 68);
    assert_int_equal(CALLS_3_0, 92);
    assert_int_equal(call_count, CALLS_3_0);
    assert_int_equal(arguments_good_count, CALLS_3_0);
    for (size_t i = 0; i < call_count; i++) {
        assert_int_equal(call_rows[i].offset, CALLS_FIRST + i * sizeof(CK_C_Initialize));
        if (good_row_of(call_rows[i].name) == NULL)
            fail_msg("%s has no row", call_rows[i].name);
    }
    for (size_t i = 0; i < arguments_odd_count; i++)
        assert_non_null(good_row_of(arguments_odd[i].name));
}

static void table_2_40(void **state)
{
    run.app = *state;
    run_table(calls_2_40(), "2.40");
}

static void table_3_0(void **state)
{
    run.app = *state;
    run_table(calls_3_0(), "3.0");
}

/* With right arguments, or none: how many functions do not return CKR_CRYPTOKI_NOT_INITIALIZED, of
 * those that need C_Initialize. */
static unsigned count_initialised(const struct material *material,
                                  const CK_FUNCTION_LIST_3_0 *table)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < arguments_good_count; i++) {
        const struct good_row *good = &arguments_good[i];
        union argument arguments[2][CALL_ARGUMENTS] = {{{.n = 0}}};
        bool free = good->value[0] != SESSION && good->value[0] != SLOT &&
                    (strncmp(good->name, "C_GetI", 6) == 0 || strstr(good->name, "FunctionList") ||
                     strcmp(good->name, "C_Initialize") == 0) &&
                    strcmp(good->name, "C_GetInfo") != 0;
        material_start();
        for (unsigned a = 0; a < CALL_ARGUMENTS; a++)
            arguments[1][a] = material_value(material, good->value[a]);
        for (unsigned right = 0; right < 2 && !free; right++)
            if (call_find(good->name)->call(table, arguments[right]) !=
                CKR_CRYPTOKI_NOT_INITIALIZED)
                wrong++;
    }
    return wrong;
}

static void before_and_after_initialize(void **state)
{
    struct material material = {.app = *state};
    CK_FUNCTION_LIST_3_0 table = calls_3_0();
    (void)C_Finalize(NULL);
    assert_int_equal(count_initialised(&material, &table), 0);
    material_open(&material, *state, IDLE);
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    assert_int_equal(count_initialised(&material, &table), 0);
}

/* The child's own C_Initialize works, and does not affect the parent. */
static void in_a_child(void **state)
{
    struct material material;
    int status = -1;
    CK_FUNCTION_LIST_3_0 table = calls_3_0();
    material_open(&material, *state, IDLE);
    pid_t child = fork();
    if (child == 0) {
        bool right = count_initialised(&material, &table) == 0 && C_Initialize(NULL) == CKR_OK &&
                     count_initialised(&material, &table) > 0;
        /* By exec, as it may not free what it inherited, which a leak checker would report. */
        execl(right ? "/bin/true" : "/bin/false", "child", (char *)NULL);
        _exit(2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(material_holds(&material, IDLE));
    assert_int_equal(app_sign(material.session, material.key, material.signature), CKR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_has_a_row),
        cmocka_unit_test_setup_teardown(table_2_40, app_open, app_close),
        cmocka_unit_test_setup_teardown(table_3_0, app_open, app_close),
        cmocka_unit_test_setup_teardown(before_and_after_initialize, app_open, app_close),
        cmocka_unit_test_setup_teardown(in_a_child, app_open, app_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
