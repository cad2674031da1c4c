/* SPDX-License-Identifier: MIT
 * What Fortran cannot ask of the file system. Status values are errno, 0 = done. */
#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int fennix_file_rename(const char *from, const char *to)
{
   return rename(from, to) ? errno : 0;
}

int fennix_file_link(const char *from, const char *to)
{
   return link(from, to) ? errno : 0;
}

/* A file that is not there counts as removed. */
int fennix_file_remove(const char *path)
{
   return unlink(path) && errno != ENOENT ? errno : 0;
}

int fennix_file_truncate(const char *path, int64_t size)
{
   return truncate(path, (off_t) size) ? errno : 0;
}

/* Force a file or a folder to disk. Some file systems cannot sync folders and say EINVAL. */
int fennix_file_sync(const char *path)
{
   int status = 0, descriptor = open(path, O_RDONLY);

   if (descriptor < 0) return errno;
   if (fsync(descriptor) && errno != EINVAL) status = errno;
   if (close(descriptor) && !status) status = errno;
   return status;
}

/* Size in bytes, -1 when there is no such file. */
int64_t fennix_file_size(const char *path)
{
   struct stat about;

   return stat(path, &about) ? -1 : (int64_t) about.st_size;
}

/* 0 when files can be created in this folder. */
int fennix_folder_writable(const char *path)
{
   return access(path, W_OK | X_OK) ? errno : 0;
}

void fennix_file_reason(int status, char *text, int size)
{
   if (strerror_r(status, text, (size_t) size)) snprintf(text, (size_t) size, "error %d", status);
}
