/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vcard_fixture.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void copy_file(const char *from, const char *to, const char *name)
{
    char path[512];
    uint8_t bytes[16384];
    snprintf(path, sizeof(path), "%s/%s", from, name);
    FILE *in = fopen(path, "rb");
    snprintf(path, sizeof(path), "%s/%s", to, name);
    FILE *out = fopen(path, "wb");
    assert_non_null(in);
    assert_non_null(out);
    size_t len = fread(bytes, 1, sizeof(bytes), in);
    assert_int_equal(fwrite(bytes, 1, len, out), len);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

/* Calls fn(from, to, name) for every file of a directory. */
static void each_file(const char *from, const char *to,
                      void (*fn)(const char *from, const char *to, const char *name))
{
    DIR *dir = opendir(from);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] != '.')
            fn(from, to, entry->d_name);
    }
    closedir(dir);
}

static void remove_file(const char *from, const char *to, const char *name)
{
    char path[512];
    (void)to;
    snprintf(path, sizeof(path), "%s/%s", from, name);
    unlink(path);
}

int vcard_fixture_open(void **state)
{
    const char *template = getenv("VCARD_TEMPLATE");
    if (template == NULL)
        exit(77);
    struct vcard_fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    strcpy(fixture->dir, "/tmp/vcard-test.XXXXXX");
    assert_non_null(mkdtemp(fixture->dir));
    each_file(template, fixture->dir, copy_file);
    fixture->card = vcard_open(fixture->dir);
    assert_non_null(fixture->card);
    assert_int_equal(vcard_power_on(fixture->card), 0);
    *state = fixture;
    return 0;
}

int vcard_fixture_close(void **state)
{
    struct vcard_fixture *fixture = *state;
    vcard_close(fixture->card);
    each_file(fixture->dir, NULL, remove_file);
    assert_int_equal(rmdir(fixture->dir), 0);
    free(fixture);
    return 0;
}

const char *ask(struct vcard_fixture *fixture, const char *apdu)
{
    uint8_t command[300];
    size_t len = strlen(apdu) / 2;
    assert_true(len <= sizeof(command));
    for (size_t i = 0; i < len; i++) {
        char digits[] = {apdu[2 * i], apdu[2 * i + 1], '\0'};
        command[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    fixture->answer_len = sizeof(fixture->answer);
    int failed = vcard_transmit(fixture->card, command, len, fixture->answer, &fixture->answer_len);
    assert_int_equal(failed != 0, fixture->answer_len == 0);
    fixture->text[0] = '\0';
    for (size_t i = 0; i < fixture->answer_len; i++)
        snprintf(fixture->text + 2 * i, 3, "%02X", fixture->answer[i]);
    return fixture->text;
}

const char *status(struct vcard_fixture *fixture, const char *apdu)
{
    const char *text = ask(fixture, apdu);
    size_t len = strlen(text);
    return len < 4 ? text : text + len - 4;
}

void set(struct vcard_fixture *fixture, const char *assignment)
{
    assert_int_equal(vcard_set(fixture->card, assignment), 0);
}

void reopen(struct vcard_fixture *fixture)
{
    vcard_close(fixture->card);
    fixture->card = vcard_open(fixture->dir);
    assert_non_null(fixture->card);
    assert_int_equal(vcard_power_on(fixture->card), 0);
}

void repower(struct vcard_fixture *fixture)
{
    vcard_power_off(fixture->card);
    assert_int_equal(vcard_power_on(fixture->card), 0);
}

size_t state_file(const struct vcard_fixture *fixture, const char *name, uint8_t *bytes,
                  size_t size)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", fixture->dir, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(bytes, 1, size, file);
    fclose(file);
    return len;
}

void write_state_file(const struct vcard_fixture *fixture, const char *name, const void *bytes,
                      size_t length)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", fixture->dir, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

/* The certificate's serial number stands after two headers of four bytes, the version and a header
 * of two bytes. */
void make_other(struct vcard_fixture *fixture)
{
    enum { CERTIFICATE_SERIAL = 4 + 4 + 5 + 2 };
    static const char serial[] = "serial 0000000000000042\n";
    uint8_t certificate[4096];
    size_t length = state_file(fixture, "jpki-000A", certificate, sizeof certificate);
    assert_int_equal(certificate[CERTIFICATE_SERIAL - 2], 0x02);
    assert_true(certificate[CERTIFICATE_SERIAL - 1] > 1);
    certificate[CERTIFICATE_SERIAL + 1] ^= 0x55;
    write_state_file(fixture, "jpki-000A", certificate, length);
    write_state_file(fixture, "card", serial, sizeof serial - 1);
    reopen(fixture);
}
