! SPDX-License-Identifier: MIT
!> File operations: replacing at one stroke, keeping what was there, and errors that name the file.
module test_files
   use fennix_kinds, only : i8
   use fennix_error, only : error_type, fatal_error
   use fennix_files, only : check_folder, check_size, file_size, folder_of, path_exists, remove_file, rename_file, &
      & replace_file, set_aside, sync_file, truncate_file
   use report_samples, only : fail_if, file_text, remove, write_text
   implicit none
   private
   public :: test_files_names, test_files_replace, test_files_replace_after_kill, test_files_errors

   character(len=*), parameter :: path = "test_files.txt"

contains


!> Folders of names; sizes; cutting
subroutine test_files_names(error)
   type(error_type), allocatable, intent(out) :: error

   call fail_if(folder_of("water.chk") /= "." .or. folder_of("/water.chk") /= "/" &
      & .or. folder_of("a/b/water.chk") /= "a/b", "folder_of", error)
   call remove(path)
   call fail_if(path_exists(path) .or. file_size(path) /= -1_i8, "a file that is not there has a size", error)
   call write_text(path, "0123456789")
   call fail_if(file_size(path) /= 10_i8, "size", error)
   if (.not. allocated(error)) call truncate_file(path, 4_i8, error)
   if (.not. allocated(error)) call sync_file(path, error)
   if (.not. allocated(error)) call check_folder(path, error)
   if (allocated(error)) return
   call fail_if(file_text(path) /= "0123", "cutting left '" // file_text(path) // "'", error)
   call remove(path)
end subroutine test_files_names


!> The new file takes the place, the one before is kept, nothing else stays
subroutine test_files_replace(error)
   type(error_type), allocatable, intent(out) :: error
   character(len=1) :: digit
   integer :: k

   call remove(path)
   do k = 1, 3
      write(digit, "(i1)") k
      call write_text(path // ".tmp", digit)
      call replace_file(path // ".tmp", path, error, previous=path // ".prev")
      if (allocated(error)) return
      call fail_if(file_text(path) /= digit, "the file was not replaced", error)
      call fail_if(path_exists(path // ".tmp"), "the temporary name is still there", error)
   end do
   call fail_if(file_text(path // ".prev") /= "2", "the file before was not kept", error)
   call set_aside(path, error)
   call fail_if(path_exists(path) .or. .not. path_exists(path // ".1"), "not set aside", error)
   call remove(path)
end subroutine test_files_replace


!> Killed between keeping the old file and renaming the new one: both names are one file, links lie about
subroutine test_files_replace_after_kill(error)
   type(error_type), allocatable, intent(out) :: error

   call remove(path)
   call write_text(path, "old")
   call write_text(path // ".tmp", "new")
   call write_text(path // ".prev.tmp", "left behind")
   call replace_file(path // ".tmp", path, error, previous=path // ".prev")
   if (allocated(error)) return
   call fail_if(file_text(path) /= "new" .or. file_text(path // ".prev") /= "old", "wrong contents", error)
   call fail_if(path_exists(path // ".prev.tmp"), "a link was left behind", error)
   call remove(path)
end subroutine test_files_replace_after_kill


!> What cannot be done is said, with the file's name
subroutine test_files_errors(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: expected

   call rename_file("no_such_file", path, expected)
   call must_name("no_such_file")
   call truncate_file("no_such_file", 0_i8, expected)
   call must_name("no_such_file")
   call sync_file("no_such_file", expected)
   call must_name("no_such_file")
   call check_folder("no/such/folder/a.arc", expected)
   call must_name("no/such/folder")
   call check_size("no_such_file", 3_i8, expected)
   call must_name("no_such_file")
   call remove_file("no_such_file", expected)
   call fail_if(allocated(expected), "removing what is not there failed", error)

contains

   subroutine must_name(name)
      character(len=*), intent(in) :: name

      if (.not. allocated(expected)) then
         call fatal_error(error, "no error for " // name)
      else if (index(expected%message, name) == 0) then
         call fatal_error(error, "the message does not name the file: " // expected%message)
      end if
   end subroutine must_name

end subroutine test_files_errors

end module test_files
