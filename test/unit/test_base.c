/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* src/base: errors, buffers, secrets, the log. Options: test_options.c. */
#include "vcard_fixture.h"

#include "jpki/base.h"
#include "jpki/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Errors: the code that the specification has for each ------------------------------- */

static void each_error_has_its_code(void **state)
{
    (void)state;
    static const struct {
        enum jpki_error error;
        CK_RV rv;
    } rows[] = {
        {JPKI_OK, CKR_OK},
        {JPKI_ERR_NO_SERVICE, CKR_TOKEN_NOT_PRESENT},
        {JPKI_ERR_NO_CARD, CKR_TOKEN_NOT_PRESENT},
        {JPKI_ERR_CARD_CHANGED, CKR_DEVICE_REMOVED},
        {JPKI_ERR_BUSY, CKR_DEVICE_ERROR},
        {JPKI_ERR_TRANSPORT, CKR_DEVICE_ERROR},
        {JPKI_ERR_CANCELLED, CKR_FUNCTION_CANCELED},
        {JPKI_ERR_NOT_JPKI, CKR_TOKEN_NOT_RECOGNIZED},
        {JPKI_ERR_NOT_FOUND, CKR_DEVICE_ERROR},
        {JPKI_ERR_NOT_VERIFIED, CKR_USER_NOT_LOGGED_IN},
        {JPKI_ERR_CARD, CKR_DEVICE_ERROR},
        {JPKI_ERR_PIN_WRONG, CKR_PIN_INCORRECT},
        {JPKI_ERR_PIN_BLOCKED, CKR_PIN_LOCKED},
        {JPKI_ERR_PIN_LENGTH, CKR_PIN_INCORRECT},
        {JPKI_ERR_PIN_CHARACTERS, CKR_PIN_INCORRECT},
        {JPKI_ERR_PIN_POLICY, CKR_PIN_INVALID},
        {JPKI_ERR_PIN_KNOWN_WRONG, CKR_PIN_INCORRECT},
        {JPKI_ERR_PIN_LAST_TRY, CKR_PIN_LOCKED},
        {JPKI_ERR_NO_KEYPAD, CKR_ARGUMENTS_BAD},
        {JPKI_ERR_DATA_LENGTH, CKR_DATA_LEN_RANGE},
        {JPKI_ERR_BAD_SIGNATURE, CKR_DEVICE_ERROR},
        {JPKI_ERR_CERTIFICATE, CKR_DEVICE_ERROR},
        {JPKI_ERR_MEMORY, CKR_HOST_MEMORY},
        {JPKI_ERR_CRYPTO, CKR_GENERAL_ERROR},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(jpki_ckr(rows[i].error), rows[i].rv);
}

/* Up to the last error, and beyond. */
static void every_error_has_a_text(void **state)
{
    (void)state;
    for (int error = 0; error < 1000; error++) {
        assert_non_null(jpki_error_text((enum jpki_error)error));
        assert_true(strlen(jpki_error_text((enum jpki_error)error)) > 0);
        if (error > 0)
            assert_int_not_equal(jpki_ckr((enum jpki_error)error), CKR_OK);
    }
    assert_int_equal(jpki_ckr((enum jpki_error)999), CKR_GENERAL_ERROR);
}

/* ---- Buffers ---------------------------------------------------------------------------- */

static void buffers_grow_to_the_limit(void **state)
{
    (void)state;
    struct jpki_buffer buffer = {0};
    assert_true(jpki_buffer_append(&buffer, "abc", 3, 5));
    assert_false(jpki_buffer_append(&buffer, "def", 3, 5));
    assert_int_equal(buffer.length, 3);
    assert_memory_equal(buffer.data, "abc", 3);
    assert_true(jpki_buffer_append(&buffer, "de", 2, 5));
    assert_memory_equal(buffer.data, "abcde", 5);
    assert_true(jpki_buffer_append(&buffer, NULL, 0, 5));
    assert_false(jpki_buffer_append(&buffer, "f", 1, 5));
    assert_false(jpki_buffer_append(&buffer, "", 0, 4)); /* it is longer than 4 already */
    assert_int_equal(buffer.length, 5);
    jpki_buffer_clear(&buffer);
    assert_null(buffer.data);
    assert_int_equal(buffer.length, 0);
    jpki_buffer_clear(&buffer);
}

static void lengths_do_not_wrap(void **state)
{
    (void)state;
    struct jpki_buffer buffer = {0};
    assert_true(jpki_buffer_append(&buffer, "abc", 3, SIZE_MAX));
    assert_false(jpki_buffer_append(&buffer, "abc", SIZE_MAX, SIZE_MAX));
    assert_false(jpki_buffer_append(&buffer, "abc", SIZE_MAX - 2, SIZE_MAX));
    assert_int_equal(buffer.length, 3);
    jpki_buffer_clear(&buffer);
    assert_true(jpki_buffer_append(&buffer, NULL, 0, 0));
    jpki_buffer_clear(&buffer);
}

/* ---- Secrets ---------------------------------------------------------------------------- */

/* The flags of the mapping around an address (proc(5), VmFlags), "" when nothing is mapped. */
static void vm_flags(const void *address, char *flags, size_t size)
{
    FILE *maps = fopen("/proc/self/smaps", "r");
    assert_non_null(maps);
    char line[512];
    bool here = false;
    unsigned long from = 0, to = 0;
    flags[0] = '\0';
    while (fgets(line, sizeof line, maps) != NULL) {
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            here = (uintptr_t)address >= from && (uintptr_t)address < to;
        if (here && strncmp(line, "VmFlags:", 8) == 0)
            snprintf(flags, size, "%s", line + 8);
    }
    fclose(maps);
}

/* Whether this process can lock memory: sanitizers and limits may forbid it. */
static bool can_lock(void)
{
    char flags[512];
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *probe = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(probe, MAP_FAILED);
    (void)mlock(probe, page);
    vm_flags(probe, flags, sizeof flags);
    munmap(probe, page);
    return strstr(flags, " lo") != NULL;
}

static void secrets_are_guarded(void **state)
{
    (void)state;
    char flags[512];
    uint8_t *bytes = jpki_secret_new("ABC123", 6);
    assert_non_null(bytes);
    assert_memory_equal(bytes, "ABC123", 6);
    assert_ptr_not_equal(bytes, "ABC123");

    vm_flags(bytes, flags, sizeof flags);
    assert_non_null(strstr(flags, " dd"));                    /* not in core dumps */
    assert_true(strstr(flags, " lo") != NULL || !can_lock()); /* never swapped */
    assert_non_null(strstr(flags, " wf"));                    /* zero in a forked child */
    jpki_secret_free(bytes, 6);
    vm_flags(bytes, flags, sizeof flags);
    assert_null(strstr(flags, " dd")); /* unmapped, or mapped for something else */
    jpki_secret_free(NULL, 6);
}

static void secrets_are_zero_in_a_child(void **state)
{
    (void)state;
    uint8_t *bytes = jpki_secret_new("ABC123", 6);
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 6; i++)
            if (bytes[i] != 0)
                _exit(1);
        _exit(0);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_memory_equal(bytes, "ABC123", 6);
    jpki_secret_free(bytes, 6);
}

static void secrets_have_a_size(void **state)
{
    (void)state;
    uint8_t many[20000]; /* several pages */
    memset(many, 'x', sizeof many);
    assert_null(jpki_secret_new(many, 0));
    void *secret = jpki_secret_new(many, sizeof many);
    assert_non_null(secret);
    assert_memory_equal(secret, many, sizeof many);
    jpki_secret_free(secret, sizeof many);
}

/* ---- The log ---------------------------------------------------------------------------- */

static size_t read_log(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t length = fread(text, 1, size - 1, file);
    text[length] = '\0';
    fclose(file);
    return length;
}

static void open_log(char path[32], enum jpki_log_level level)
{
    strcpy(path, "/tmp/jpki-log.XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_true(jpki_log_open(level, path));
}

static void no_pin_in_the_log(void **state)
{
    (void)state;
    static const uint8_t verify[] = {0, 0x20, 0, 0x9B, 6, 'A', 'B', 'C', '1', '2', '3'};
    static const uint8_t answer[] = {'S', 'E', 'C', 'R', 'E', 'T', 0x90, 0x00};
    char path[32], text[4096];
    open_log(path, JPKI_LOG_DEBUG);
    jpki_log_apdu(verify, sizeof verify, answer, sizeof answer);
    jpki_log_apdu(verify, sizeof verify, answer, 1);
    jpki_log_apdu(verify, 3, answer, 0);
    jpki_log_close();

    read_log(path, text, sizeof text);
    assert_non_null(strstr(text, "00 20 00 9B"));
    assert_non_null(strstr(text, "9000"));
    assert_null(strstr(text, "ABC123"));
    assert_null(strstr(text, "414243"));
    assert_null(strstr(text, "41 42 43"));
    assert_null(strstr(text, "SECRET"));
    assert_null(strstr(text, "534543"));
    assert_null(strstr(text, "53 45 43"));
    unlink(path);
}

/* The log of one command, without the time. */
static void logged(const uint8_t *command, size_t length, char text[4096])
{
    static const uint8_t answer[] = {0x63, 0xC4};
    char path[32], whole[4096];
    open_log(path, JPKI_LOG_DEBUG);
    jpki_log_apdu(command, length, answer, sizeof answer);
    jpki_log_close();
    read_log(path, whole, sizeof whole);
    unlink(path);
    const char *level = strstr(whole, "debug: ");
    assert_non_null(level);
    strcpy(text, level);
}

/* Six characters or sixteen: the log is the same. That a PIN was sent, and not just asked about,
 * may be seen. */
static void no_length_of_a_pin_in_the_log(void **state)
{
    (void)state;
    static const uint8_t headers[][4] = {
        {0, 0x20, 0, 0x9B}, {0, 0x20, 0, 0x80}, {0, 0x24, 1, 0x80}};
    char shorter[4096], longer[4096], query[4096];
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        uint8_t command[21] = {0};
        memcpy(command, headers[i], 4);
        command[4] = 6;
        logged(command, 5 + 6, shorter);
        command[4] = 16;
        logged(command, 5 + 16, longer);
        logged(command, 4, query);
        assert_string_equal(shorter, longer);
        assert_string_not_equal(shorter, query);
        assert_non_null(strstr(shorter, "63C4"));
    }
}

static void log_levels(void **state)
{
    (void)state;
    static const uint8_t command[4] = {0, 0xA4, 4, 0};
    char path[32], text[4096], wide[2000];
    memset(wide, 'w', sizeof wide);
    wide[sizeof wide - 1] = '\0';
    open_log(path, JPKI_LOG_WARNING);
    jpki_log(JPKI_LOG_INFO, "quiet");
    jpki_log_apdu(command, sizeof command, command, sizeof command);
    assert_int_equal(read_log(path, text, sizeof text), 0);
    jpki_log(JPKI_LOG_WARNING, "loud %d", 42);
    jpki_log(JPKI_LOG_ERROR, "%s", wide);
    jpki_log_close();
    read_log(path, text, sizeof text);
    assert_non_null(strstr(text, "loud 42\n"));
    assert_non_null(strstr(text, "www"));
    assert_false(jpki_log_open(JPKI_LOG_DEBUG, "/dev/null/file"));
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_error_has_its_code),       cmocka_unit_test(every_error_has_a_text),
        cmocka_unit_test(buffers_grow_to_the_limit),     cmocka_unit_test(lengths_do_not_wrap),
        cmocka_unit_test(secrets_are_guarded),           cmocka_unit_test(secrets_have_a_size),
        cmocka_unit_test(secrets_are_zero_in_a_child),   cmocka_unit_test(no_pin_in_the_log),
        cmocka_unit_test(no_length_of_a_pin_in_the_log), cmocka_unit_test(log_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
