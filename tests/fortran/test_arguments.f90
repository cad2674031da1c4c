! SPDX-License-Identifier: MIT
!> Tinker's grammar of the command line.
module test_arguments
   use fennix_error, only : error_type
   use fennix_strings, only : join, split, string_type
   use fennix_arguments, only : arguments_type, parse_arguments
   use fennix_settings, only : job_check, job_dynamic, job_help, job_rerun
   use test_runner, only : check, expect_error
   implicit none
   private
   public :: test_arguments_grammar, test_arguments_jobs, test_arguments_mistakes

contains


!> Positional values keep their places wherever options stand
subroutine test_arguments_grammar(error)
   type(error_type), allocatable, intent(out) :: error
   type(arguments_type) :: arguments
   type(error_type), allocatable :: raised

   call parse("box/water.xyz -k nvt 10 2.0 --resume 1.0 2 300.0 -1.5 -v", arguments, raised)
   call check(error, .not. allocated(raised), "a correct line was refused")
   call check(error, arguments%name == "box/water.xyz", "name")
   call check(error, arguments%key_file == "nvt", "keyfile")
   call check(error, join(arguments%value, " ") == "10 2.0 1.0 2 300.0 -1.5", "values: " // join(arguments%value, " "))
   call check(error, arguments%resume .and. arguments%verbose .and. arguments%job == job_dynamic, "switches")
end subroutine test_arguments_grammar


!> What the program is asked to do
subroutine test_arguments_jobs(error)
   type(error_type), allocatable, intent(out) :: error
   type(arguments_type) :: arguments
   type(error_type), allocatable :: raised

   call parse("water --rerun water.arc", arguments, raised)
   call check(error, arguments%job == job_rerun .and. arguments%rerun_file == "water.arc", "rerun")
   call parse("--check water", arguments, raised)
   call check(error, arguments%job == job_check .and. arguments%name == "water", "check")
   call parse("--help --check --rerun x", arguments, raised)
   call check(error, arguments%job == job_help .and. .not. allocated(raised), "help wins")
   call parse("", arguments, raised)
   call check(error, arguments%name == "" .and. .not. allocated(raised), "an empty line is not understood")
end subroutine test_arguments_jobs


subroutine test_arguments_mistakes(error)
   type(error_type), allocatable, intent(out) :: error
   type(arguments_type) :: arguments
   type(error_type), allocatable :: raised

   call parse("water --chek", arguments, raised)
   call expect_error(error, raised, "command line|--chek|--check")
   call parse("water -x", arguments, raised)
   call expect_error(error, raised, "command line|-x")
   call parse("water -k", arguments, raised)
   call expect_error(error, raised, "command line|-k|keyfile")
   call parse("water --check --minimize", arguments, raised)
   call expect_error(error, raised, "command line|--minimize")
   call parse("water 1 2 3 4 5 6 7", arguments, raised)
   call expect_error(error, raised, "command line|'7'|too many")
end subroutine test_arguments_mistakes


subroutine parse(line, arguments, error)
   character(len=*), intent(in) :: line
   type(arguments_type), intent(out) :: arguments
   type(error_type), allocatable, intent(out) :: error
   type(string_type), allocatable :: words(:)

   call split(line, words)
   call parse_arguments(arguments, words, error)
end subroutine parse

end module test_arguments
