/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signatures, also by several threads. */
#include "client.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIGNATURE = 512, THREADS = 8 };

static const struct {
    const char *name;
    CK_MECHANISM_TYPE type;
    bool pss;
} mechanisms[] = {
    {"RSA-PKCS", CKM_RSA_PKCS, false},
    {"SHA1-RSA-PKCS", CKM_SHA1_RSA_PKCS, false},
    {"SHA224-RSA-PKCS", CKM_SHA224_RSA_PKCS, false},
    {"SHA256-RSA-PKCS", CKM_SHA256_RSA_PKCS, false},
    {"SHA384-RSA-PKCS", CKM_SHA384_RSA_PKCS, false},
    {"SHA512-RSA-PKCS", CKM_SHA512_RSA_PKCS, false},
    {"RSA-PKCS-PSS", CKM_RSA_PKCS_PSS, true},
    {"SHA256-RSA-PKCS-PSS", CKM_SHA256_RSA_PKCS_PSS, true},
};

static uint8_t *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        die(path);
    *length = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(*length + 1);
    if (data == NULL || fread(data, 1, *length, file) != *length)
        die(path);
    fclose(file);
    return data;
}

static void write_file(const char *path, const uint8_t *data, size_t length)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(data, 1, length, file) != length || fclose(file) != 0)
        die(path);
}

static CK_RV find_key(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *key)
{
    CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted = {CKA_CLASS, &private_key, sizeof private_key};
    CK_ULONG found = 0;
    CK_RV rv = p11->C_FindObjectsInit(session, &wanted, 1);
    if (rv != CKR_OK)
        return rv;
    rv = p11->C_FindObjects(session, key, 1, &found);
    CK_RV end = p11->C_FindObjectsFinal(session);
    if (rv == CKR_OK && end == CKR_OK && found != 1)
        die("no private key");
    return rv == CKR_OK ? end : rv;
}

static CK_RV sign(CK_SESSION_HANDLE session, const char *name, uint8_t *data, size_t length,
                  uint8_t *signature, CK_ULONG *signature_length)
{
    CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256, 32};
    CK_MECHANISM mechanism = {0};
    for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++)
        if (strcmp(mechanisms[i].name, name) == 0)
            mechanism = (CK_MECHANISM){mechanisms[i].type, mechanisms[i].pss ? &pss : NULL,
                                       mechanisms[i].pss ? sizeof pss : 0};
    if (strcmp(name, "RSA-PKCS") != 0 && mechanism.mechanism == 0)
        die("no such mechanism");

    CK_OBJECT_HANDLE key = 0;
    CK_RV rv = find_key(session, &key);
    if (rv == CKR_OK)
        rv = p11->C_SignInit(session, &mechanism, key);
    if (rv == CKR_OK)
        rv = p11->C_Sign(session, data, length, signature, signature_length);
    return rv;
}

CK_RV do_sign(char *line)
{
    CK_SLOT_ID slot = slot_word(&line);
    char *mechanism = next_word(&line);
    char *from = next_word(&line);
    char *to = next_word(&line);
    size_t length;
    uint8_t *data = read_file(from, &length);
    uint8_t signature[SIGNATURE];
    CK_ULONG signature_length = sizeof signature;
    CK_RV rv = sign(sessions[slot], mechanism, data, length, signature, &signature_length);
    if (rv == CKR_OK)
        write_file(to, signature, signature_length);
    free(data);
    return rv;
}

/* ---- Several tokens at the same time --------------------------------------------------------- */

struct worker {
    pthread_t thread;
    CK_SLOT_ID slot;
    int times;
    CK_RV rv;
};

static void *work(void *argument)
{
    struct worker *worker = argument;
    for (int i = 0; i < worker->times && worker->rv == CKR_OK; i++) {
        uint8_t data[] = "signed by several threads";
        uint8_t signature[SIGNATURE];
        CK_ULONG length = sizeof signature;
        CK_SESSION_HANDLE session;
        worker->rv = p11->C_OpenSession(worker->slot, CKF_SERIAL_SESSION, NULL, NULL, &session);
        if (worker->rv == CKR_OK)
            worker->rv = sign(session, "SHA256-RSA-PKCS", data, sizeof data, signature, &length);
        if (worker->rv == CKR_OK)
            worker->rv = p11->C_CloseSession(session);
    }
    return NULL;
}

CK_RV do_together(char *line)
{
    struct worker workers[THREADS] = {0};
    int times = atoi(next_word(&line));
    size_t count = 0;
    for (; line != NULL; count++) {
        if (count == THREADS)
            die("too many threads");
        workers[count].slot = slot_word(&line);
        workers[count].times = times;
        if (pthread_create(&workers[count].thread, NULL, work, &workers[count]) != 0)
            die("no thread");
    }
    CK_RV rv = CKR_OK;
    for (size_t i = 0; i < count; i++) {
        pthread_join(workers[i].thread, NULL);
        if (workers[i].rv != CKR_OK)
            rv = workers[i].rv;
    }
    return rv;
}
