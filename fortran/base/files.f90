! SPDX-License-Identifier: MIT
!> File system operations: rename, truncate, force to disk, replace a file at one stroke.
module fennix_files
   use, intrinsic :: iso_c_binding, only : c_char, c_int, c_int64_t, c_null_char
   use fennix_kinds, only : i8
   use fennix_error, only : error_type, fatal_error, to_text
   implicit none
   private
   public :: path_exists, file_size, folder_of, check_folder, rename_file, remove_file, truncate_file, sync_file
   public :: check_size
   public :: replace_file, set_aside

   interface
      function c_rename(from, to) bind(c, name="fennix_file_rename") result(status)
         import :: c_char, c_int
         implicit none
         character(kind=c_char), intent(in) :: from(*), to(*)
         integer(c_int) :: status
      end function c_rename

      function c_link(from, to) bind(c, name="fennix_file_link") result(status)
         import :: c_char, c_int
         implicit none
         character(kind=c_char), intent(in) :: from(*), to(*)
         integer(c_int) :: status
      end function c_link

      function c_remove(path) bind(c, name="fennix_file_remove") result(status)
         import :: c_char, c_int
         implicit none
         character(kind=c_char), intent(in) :: path(*)
         integer(c_int) :: status
      end function c_remove

      function c_truncate(path, size) bind(c, name="fennix_file_truncate") result(status)
         import :: c_char, c_int, c_int64_t
         implicit none
         character(kind=c_char), intent(in) :: path(*)
         integer(c_int64_t), value :: size
         integer(c_int) :: status
      end function c_truncate

      function c_sync(path) bind(c, name="fennix_file_sync") result(status)
         import :: c_char, c_int
         implicit none
         character(kind=c_char), intent(in) :: path(*)
         integer(c_int) :: status
      end function c_sync

      function c_size(path) bind(c, name="fennix_file_size") result(size)
         import :: c_char, c_int64_t
         implicit none
         character(kind=c_char), intent(in) :: path(*)
         integer(c_int64_t) :: size
      end function c_size

      function c_writable(path) bind(c, name="fennix_folder_writable") result(status)
         import :: c_char, c_int
         implicit none
         character(kind=c_char), intent(in) :: path(*)
         integer(c_int) :: status
      end function c_writable

      subroutine c_reason(status, text, size) bind(c, name="fennix_file_reason")
         import :: c_char, c_int
         implicit none
         integer(c_int), value :: status
         character(kind=c_char), intent(inout) :: text(*)
         integer(c_int), value :: size
      end subroutine c_reason
   end interface

contains


!> There is a file or folder of this name
function path_exists(path)
   character(len=*), intent(in) :: path
   logical :: path_exists

   path_exists = file_size(path) >= 0
end function path_exists


!> Size in bytes, -1 when there is no such file
function file_size(path)
   character(len=*), intent(in) :: path
   integer(i8) :: file_size

   file_size = c_size(trim(path) // c_null_char)
end function file_size


!> The folder a file lies in, "." when its name has none
pure function folder_of(path) result(folder)
   character(len=*), intent(in) :: path
   character(len=:), allocatable :: folder
   integer :: slash

   slash = index(path, "/", back=.true.)
   select case (slash)
   case (0)
      folder = "."
   case (1)
      folder = "/"
   case default
      folder = path(1:slash - 1)
   end select
end function folder_of


!> Fails when files cannot be created beside this path
subroutine check_folder(path, error)
   !> Any file of the folder
   character(len=*), intent(in) :: path
   type(error_type), allocatable, intent(out) :: error
   integer(c_int) :: status

   status = c_writable(folder_of(path) // c_null_char)
   if (status /= 0) call fatal_error(error, "cannot write into the folder '" // folder_of(path) // "': " &
      & // reason(status))
end subroutine check_folder


!> Rename, replacing what has the new name
subroutine rename_file(from, to, error)
   character(len=*), intent(in) :: from, to
   type(error_type), allocatable, intent(out) :: error
   integer(c_int) :: status

   status = c_rename(trim(from) // c_null_char, trim(to) // c_null_char)
   if (status /= 0) call fatal_error(error, "cannot rename '" // trim(from) // "' to '" // trim(to) // "': " &
      & // reason(status))
end subroutine rename_file


!> Remove a file; one that is not there is no failure
subroutine remove_file(path, error)
   character(len=*), intent(in) :: path
   type(error_type), allocatable, intent(out) :: error
   integer(c_int) :: status

   status = c_remove(trim(path) // c_null_char)
   if (status /= 0) call fatal_error(error, "cannot remove '" // trim(path) // "': " // reason(status))
end subroutine remove_file


!> Cut a file to its first bytes
subroutine truncate_file(path, bytes, error)
   character(len=*), intent(in) :: path
   !> Bytes to keep
   integer(i8), intent(in) :: bytes
   type(error_type), allocatable, intent(out) :: error
   integer(c_int) :: status

   status = c_truncate(trim(path) // c_null_char, bytes)
   if (status /= 0) call fatal_error(error, "cannot cut '" // trim(path) // "' to " // to_text(bytes) // " bytes: " &
      & // reason(status))
end subroutine truncate_file


!> Fails when a file lacks bytes that were written: gfortran's flush and close do not tell
subroutine check_size(path, bytes, error)
   character(len=*), intent(in) :: path
   !> Bytes it must have
   integer(i8), intent(in) :: bytes
   type(error_type), allocatable, intent(out) :: error

   if (file_size(path) /= bytes) call fatal_error(error, "cannot write '" // trim(path) // "': it has " &
      & // to_text(file_size(path)) // " of " // to_text(bytes) // " bytes; is the disk full?")
end subroutine check_size


!> Force a file or folder to disk
subroutine sync_file(path, error)
   character(len=*), intent(in) :: path
   type(error_type), allocatable, intent(out) :: error
   integer(c_int) :: status

   status = c_sync(trim(path) // c_null_char)
   if (status /= 0) call fatal_error(error, "cannot force '" // trim(path) // "' to disk: " // reason(status))
end subroutine sync_file


!> Put a finished temporary file in the place of another, durably; at any instant the path or its copy is complete
subroutine replace_file(temporary, path, error, previous)
   character(len=*), intent(in) :: temporary, path
   type(error_type), allocatable, intent(out) :: error
   !> Keep what stood at the path under this name
   character(len=*), intent(in), optional :: previous

   call sync_file(temporary, error)
   if (allocated(error)) return
   if (present(previous)) then
      if (path_exists(path)) call keep_previous(path, previous, error)
      if (allocated(error)) return
   end if
   call rename_file(temporary, path, error)
   if (allocated(error)) return
   call sync_file(folder_of(path), error)
end subroutine replace_file


!> A second name for the file, so that it never disappears; a plain rename where the file system knows no links
subroutine keep_previous(path, previous, error)
   character(len=*), intent(in) :: path, previous
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: link

   link = trim(previous) // ".tmp"
   call remove_file(link, error)
   if (allocated(error)) return
   if (c_link(trim(path) // c_null_char, link // c_null_char) /= 0) then
      call rename_file(path, previous, error)
      return
   end if
   call rename_file(link, previous, error)
   if (allocated(error)) return
   ! Renaming does nothing when both names are the same file already, as after a kill at this point.
   call remove_file(link, error)
end subroutine keep_previous


!> Give an existing file the first free name among path.1, path.2, ... ; nothing happens when there is none
subroutine set_aside(path, error)
   character(len=*), intent(in) :: path
   type(error_type), allocatable, intent(out) :: error
   integer :: number

   if (.not. path_exists(path)) return
   number = 1
   do while (path_exists(trim(path) // "." // to_text(number)))
      number = number + 1
   end do
   call rename_file(path, trim(path) // "." // to_text(number), error)
end subroutine set_aside


!> The system's words for a status
function reason(status) result(text)
   integer(c_int), intent(in) :: status
   character(len=:), allocatable :: text
   character(kind=c_char) :: buffer(256)
   integer :: k

   buffer = c_null_char
   call c_reason(status, buffer, int(size(buffer), c_int))
   text = ""
   do k = 1, size(buffer)
      if (buffer(k) == c_null_char) exit
      text = text // buffer(k)
   end do
end function reason

end module fennix_files
