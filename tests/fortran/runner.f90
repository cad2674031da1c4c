! SPDX-License-Identifier: MIT
!> A small test runner: cases with a name, run one by one, each passed, failed or skipped with a sentence.
module test_runner
   use, intrinsic :: iso_fortran_env, only : output_unit
   use fennix_error, only : error_type, fatal_error
   implicit none
   private
   public :: case_type, new_case, run_case, check, skip, expect_error, passed, failed, skipped

   !> How a case ends
   integer, parameter :: passed = 0, failed = 1, skipped = 2
   !> A message that begins so means skipped, not failed
   character(len=*), parameter :: skip_mark = "skipped: "

   abstract interface
      !> A test: the error is allocated when it fails
      subroutine test_procedure(error)
         import :: error_type
         implicit none
         type(error_type), allocatable, intent(out) :: error
      end subroutine test_procedure
   end interface

   !> One test of a suite
   type :: case_type
      character(len=:), allocatable :: suite
      character(len=:), allocatable :: name
      procedure(test_procedure), pointer, nopass :: run => null()
   end type case_type

contains


!> Append a test to a list
subroutine new_case(cases, suite, name, run)
   type(case_type), allocatable, intent(inout) :: cases(:)
   character(len=*), intent(in) :: suite, name
   procedure(test_procedure) :: run
   type(case_type), allocatable :: longer(:)
   integer :: n

   n = size(cases)
   allocate(longer(n + 1))
   longer(1:n) = cases
   longer(n + 1)%suite = suite
   longer(n + 1)%name = name
   longer(n + 1)%run => run
   call move_alloc(longer, cases)
end subroutine new_case


!> Run a test and print how it ended
subroutine run_case(self, outcome)
   type(case_type), intent(in) :: self
   !> passed, failed or skipped
   integer, intent(out) :: outcome
   type(error_type), allocatable :: error

   call self%run(error)
   outcome = passed
   if (allocated(error)) then
      outcome = failed
      if (index(error%message, skip_mark) == 1) outcome = skipped
   end if
   select case (outcome)
   case (passed)
      write(output_unit, "(5a)") "PASS ", self%suite, " ", self%name
   case (skipped)
      write(output_unit, "(6a)") "SKIP ", self%suite, " ", self%name, ": ", error%message(len(skip_mark) + 1:)
   case default
      write(output_unit, "(6a)") "FAIL ", self%suite, " ", self%name, ": ", error%message
   end select
   flush(output_unit)
end subroutine run_case


!> Fail with a message unless the condition holds; the first failure is kept
subroutine check(error, condition, message)
   type(error_type), allocatable, intent(inout) :: error
   logical, intent(in) :: condition
   character(len=*), intent(in) :: message

   if (.not. condition .and. .not. allocated(error)) call fatal_error(error, message)
end subroutine check


!> End a test that cannot be run here
subroutine skip(error, reason)
   type(error_type), allocatable, intent(out) :: error
   character(len=*), intent(in) :: reason

   call fatal_error(error, skip_mark // reason)
end subroutine skip


!> Fail unless an error was raised whose message has all the given parts, separated by bars
subroutine expect_error(error, raised, parts)
   type(error_type), allocatable, intent(inout) :: error
   !> What the procedure under test returned
   type(error_type), allocatable, intent(in) :: raised
   character(len=*), intent(in) :: parts
   integer :: begin, bar

   call check(error, allocated(raised), "no error, expected one with '" // parts // "'")
   begin = 1
   do while (begin <= len(parts) .and. allocated(raised))
      bar = index(parts(begin:), "|") - 1
      if (bar < 0) bar = len(parts) - begin + 1
      call check(error, index(raised%message, parts(begin:begin + bar - 1)) > 0, &
         & "'" // parts(begin:begin + bar - 1) // "' is not in the message: " // raised%message)
      begin = begin + bar + 1
   end do
end subroutine expect_error

end module test_runner
