! SPDX-License-Identifier: MIT
!> The exact restart: the same bits come back, and no damage goes unnoticed.
module test_checkpoint
   use, intrinsic :: iso_fortran_env, only : int8
   use, intrinsic :: ieee_arithmetic, only : ieee_quiet_nan, ieee_value
   use fennix_kinds, only : dp, i4, i8
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_crc32, only : crc32
   use fennix_files, only : path_exists
   use fennix_checkpoint, only : checkpoint_type, get, has_record, load_checkpoint, put, record_shape, save_checkpoint
   use report_samples, only : fail_if, file_text, remove, write_text
   implicit none
   private
   public :: test_crc32, test_checkpoint_round_trip, test_checkpoint_many, test_checkpoint_mismatch, &
      & test_checkpoint_truncated, test_checkpoint_damaged, test_checkpoint_previous, test_checkpoint_unwritable

   character(len=*), parameter :: path = "test_state.chk"

contains


!> The published check value, whole and in two parts
subroutine test_crc32(error)
   type(error_type), allocatable, intent(out) :: error
   integer(int8), parameter :: digits(9) = [49_int8, 50_int8, 51_int8, 52_int8, 53_int8, 54_int8, 55_int8, 56_int8, &
      & 57_int8]
   character(len=8) :: text

   write(text, "(z8.8)") crc32(digits)
   call fail_if(text /= "CBF43926", "CRC-32 of 123456789 is " // text, error)
   write(text, "(z8.8)") crc32(digits(5:), crc32(digits(:4)))
   call fail_if(text /= "CBF43926", "CRC-32 in two parts is " // text, error)
   call fail_if(crc32(digits(:0)) /= 0_i4, "CRC-32 of nothing is not zero", error)
end subroutine test_crc32


!> Every kind and rank, with numbers that are easily spoilt
subroutine test_checkpoint_round_trip(error)
   type(error_type), allocatable, intent(out) :: error
   type(checkpoint_type) :: written, found
   real(dp) :: scalar, vector(4), matrix(3, 2), empty(3, 0)
   integer(i4) :: count, counts(3), table(2, 2)
   integer(i8) :: seed, counters(2)
   character(len=:), allocatable :: text

   call remove(path)
   vector = [-0.0_dp, tiny(1.0_dp)/4.0_dp, huge(1.0_dp), ieee_value(1.0_dp, ieee_quiet_nan)]
   call put(written, "scalar", 1.0_dp/3.0_dp)
   call put(written, "vector", vector)
   call put(written, "matrix", reshape([1.0_dp, 2.0_dp, 3.0_dp, 4.0_dp, 5.0_dp, 6.0_dp], [3, 2]))
   call put(written, "empty", empty)
   call put(written, "count", -7_i4)
   call put(written, "counts", [1_i4, huge(1_i4), -huge(1_i4)])
   call put(written, "table", reshape([1_i4, 2_i4, 3_i4, 4_i4], [2, 2]))
   call put(written, "seed", -huge(1_i8))
   call put(written, "counters", [5_i8, 6_i8])
   call put(written, "text", "line one" // new_line("a") // "Å ")
   call put(written, "scalar", 2.0_dp/3.0_dp)
   call save_checkpoint(written, path, error)
   if (.not. allocated(error)) call load_checkpoint(found, path, error)
   if (.not. allocated(error)) call get(found, "scalar", scalar, error)
   if (.not. allocated(error)) call get(found, "vector", vector, error)
   if (.not. allocated(error)) call get(found, "matrix", matrix, error)
   if (.not. allocated(error)) call get(found, "empty", empty, error)
   if (.not. allocated(error)) call get(found, "count", count, error)
   if (.not. allocated(error)) call get(found, "counts", counts, error)
   if (.not. allocated(error)) call get(found, "table", table, error)
   if (.not. allocated(error)) call get(found, "seed", seed, error)
   if (.not. allocated(error)) call get(found, "counters", counters, error)
   if (.not. allocated(error)) call get(found, "text", text, error)
   if (allocated(error)) return
   call fail_if(transfer(scalar, 0_i8) /= transfer(2.0_dp/3.0_dp, 0_i8), "scalar", error)
   call fail_if(any(transfer(vector, [0_i8]) /= transfer([-0.0_dp, tiny(1.0_dp)/4.0_dp, huge(1.0_dp), &
      & ieee_value(1.0_dp, ieee_quiet_nan)], [0_i8])), "vector", error)
   call fail_if(nint(sum(matrix)) /= 21 .or. nint(matrix(1, 2)) /= 4, "matrix", error)
   call fail_if(count /= -7 .or. any(counts /= [1, huge(1), -huge(1)]) .or. any(table(:, 2) /= [3, 4]), "integers", &
      & error)
   call fail_if(seed /= -huge(1_i8) .or. any(counters /= [5_i8, 6_i8]), "long integers", error)
   call fail_if(text /= "line one" // new_line("a") // "Å " .or. len(text) /= 12, "text '" // text // "'", error)
   call remove(path)
end subroutine test_checkpoint_round_trip


!> More records than the first capacity
subroutine test_checkpoint_many(error)
   type(error_type), allocatable, intent(out) :: error
   type(checkpoint_type) :: chk, found
   integer(i4) :: value
   integer :: k

   call remove(path)
   do k = 1, 100
      call put(chk, "record " // to_text(k), int(k, i4))
   end do
   call save_checkpoint(chk, path, error)
   if (.not. allocated(error)) call load_checkpoint(found, path, error)
   do k = 1, 100
      if (allocated(error)) return
      call get(found, "record " // to_text(k), value, error)
      if (allocated(error)) return
      call fail_if(value /= k, "record " // to_text(k) // " holds " // to_text(int(value)), error)
   end do
   call remove(path)
end subroutine test_checkpoint_many


!> Another shape, kind or name is an error that names the record
subroutine test_checkpoint_mismatch(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: expected
   type(checkpoint_type) :: chk
   real(dp) :: too_long(4), as_matrix(3, 1), right(3)
   integer(i8) :: other_kind(3)

   call put(chk, "position", [1.0_dp, 2.0_dp, 3.0_dp])
   call get(chk, "position", too_long, expected)
   call names("position", "another length")
   call get(chk, "position", as_matrix, expected)
   call names("position", "another rank")
   call get(chk, "position", other_kind, expected)
   call names("position", "another kind")
   call get(chk, "velocity", right, expected)
   call names("velocity", "a record that is not there")
   call get(chk, "position", right, expected)
   if (allocated(expected)) call move_alloc(expected, error)
   call fail_if(.not. has_record(chk, "position") .or. has_record(chk, "velocity"), "has_record", error)
   call fail_if(any(record_shape(chk, "position") /= [3]), "record_shape", error)

contains

   !> The last call failed with a message that names the record
   subroutine names(record, what)
      character(len=*), intent(in) :: record, what

      if (.not. allocated(expected)) then
         call fatal_error(error, what // " was accepted")
      else if (index(expected%message, "'" // record // "'") == 0) then
         call fatal_error(error, "the message does not name the record: " // expected%message)
      end if
   end subroutine names

end subroutine test_checkpoint_mismatch


!> A small file to be spoilt
subroutine write_small(error)
   type(error_type), allocatable, intent(out) :: error
   type(checkpoint_type) :: chk

   call remove(path)
   call put(chk, "position", reshape([1.0_dp, 2.0_dp, 3.0_dp], [3, 1]))
   call put(chk, "integrator", "baoabrespa")
   call put(chk, "step", 12_i8)
   call save_checkpoint(chk, path, error)
end subroutine write_small


!> The file cut at every byte, and with something appended
subroutine test_checkpoint_truncated(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: expected
   type(checkpoint_type) :: chk
   character(len=:), allocatable :: whole
   integer :: length

   call write_small(error)
   if (allocated(error)) return
   whole = file_text(path)
   do length = 0, len(whole) + 1
      if (length == len(whole)) cycle
      if (length < len(whole)) call write_text(path, whole(:length))
      if (length > len(whole)) call write_text(path, whole // "x")
      call load_checkpoint(chk, path, expected)
      if (.not. allocated(expected)) then
         call fatal_error(error, "a file of " // to_text(length) // " bytes instead of " &
            & // to_text(len(whole)) // " loads")
         return
      else if (index(expected%message, path) == 0) then
         call fatal_error(error, "the message does not name the file: " // expected%message)
         return
      end if
   end do
   call remove(path)
end subroutine test_checkpoint_truncated


!> One bit turned, in every byte
subroutine test_checkpoint_damaged(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: expected
   type(checkpoint_type) :: chk
   character(len=:), allocatable :: whole, spoilt
   integer :: place

   call write_small(error)
   if (allocated(error)) return
   whole = file_text(path)
   do place = 1, len(whole)
      spoilt = whole
      spoilt(place:place) = char(ieor(ichar(whole(place:place)), ishft(1, modulo(place, 8))))
      call write_text(path, spoilt)
      call load_checkpoint(chk, path, expected)
      if (.not. allocated(expected)) then
         call fatal_error(error, "a bit turned in byte " // to_text(place) // " goes unnoticed")
         return
      end if
   end do
   call write_text(path, whole)
   call load_checkpoint(chk, path, error)
   call remove(path)
end subroutine test_checkpoint_damaged


!> The one before is kept, and pointed to when the present one is spoilt
subroutine test_checkpoint_previous(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: expected
   type(checkpoint_type) :: chk, found
   integer(i8) :: step, k

   call remove(path)
   do k = 1, 3
      call put(chk, "step", k)
      call save_checkpoint(chk, path, error)
      if (allocated(error)) return
   end do
   call fail_if(path_exists(path // ".tmp") .or. path_exists(path // ".prev.tmp"), "temporary files were left behind", &
      & error)
   call load_checkpoint(found, path // ".prev", expected)
   if (.not. allocated(expected)) call get(found, "step", step, expected)
   if (allocated(expected)) then
      call fatal_error(error, expected%message)
   else if (step /= 2) then
      call fatal_error(error, "the kept file holds step " // to_text(step) // " instead of 2")
   end if
   call write_text(path, "spoilt")
   call load_checkpoint(found, path, expected)
   if (.not. allocated(expected)) then
      call fatal_error(error, "a spoilt file loads")
   else if (index(expected%message, path // ".prev") == 0) then
      call fatal_error(error, "the message does not point to the kept file: " // expected%message)
   end if
   call remove(path)
   call load_checkpoint(found, path, expected)
   call fail_if(.not. allocated(expected), "a file that is not there loads", error)
end subroutine test_checkpoint_previous


!> Nowhere to write
subroutine test_checkpoint_unwritable(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: expected
   type(checkpoint_type) :: chk

   call put(chk, "step", 1_i8)
   call save_checkpoint(chk, "no/such/folder/a.chk", expected)
   call fail_if(.not. allocated(expected), "written into a folder that is not there", error)
end subroutine test_checkpoint_unwritable

end module test_checkpoint
