! SPDX-License-Identifier: MIT
!> A force provider behind the C seam, seen from the engine.
module fennix_provider
   use, intrinsic :: iso_c_binding, only : c_associated, c_char, c_f_procpointer, c_int, c_null_char
   use fennix_kinds, only : dp
   use fennix_c_interop, only : from_c
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_seam, only : force_function, force_request, force_result, message_function, provider_conservative, &
      & provider_exchanges, provider_no_virial, provider_record, provider_uses_charge, seam_version
   implicit none
   private
   public :: provider_type, new_provider, call_provider, provider_text, identity_of

   type :: provider_type
      !> As the host handed it over
      type(provider_record) :: record
      !> What it is, printable
      character(len=:), allocatable :: label
      !> Range of the pair list it needs (0: none), and how far an atom's energy sees, Å
      real(dp) :: cutoff = 0.0_dp, range = 0.0_dp
      !> How far outside a domain ghosts need their own neighbours listed, Å
      real(dp) :: center_range = 0.0_dp
      logical :: conservative = .true.
      !> Exchanges features with other ranks during an evaluation, when it is offered to
      logical :: exchanges = .false.
      logical :: uses_charge = .false.
      !> Gives the virial of a periodic system
      logical :: has_virial = .true.
   end type provider_type

   !> Longest failure text fetched from a provider
   integer, parameter :: message_length = 1024

contains


!> Check a record and keep it
subroutine new_provider(self, record, error)
   type(provider_type), intent(out) :: self
   type(provider_record), intent(in) :: record
   type(error_type), allocatable, intent(out) :: error

   if (record%version /= seam_version) then
      call fatal_error(error, "the force provider speaks version " // to_text(int(record%version)) // &
         & " of the interface, this engine version " // to_text(int(seam_version)))
      return
   end if
   if (.not. c_associated(record%force)) then
      call fatal_error(error, "the force provider has no evaluation function")
      return
   end if
   if (.not. (record%cutoff >= 0.0_dp .and. record%range >= record%cutoff)) then
      call fatal_error(error, "the force provider declares a cutoff of " // to_text(real(record%cutoff, dp)) // &
         & " Å and an interaction range of " // to_text(real(record%range, dp)) // &
         & " Å; expected 0 <= cutoff <= range")
      return
   end if
   if (.not. (record%center_range >= 0.0_dp .and. record%center_range <= record%range)) then
      call fatal_error(error, "the force provider declares that the neighbours of ghosts are needed up to " // &
         & to_text(real(record%center_range, dp)) // " Å from a domain; expected 0 <= that <= interaction range")
      return
   end if
   self%record = record
   self%label = from_c(record%label)
   self%cutoff = record%cutoff
   self%range = record%range
   self%center_range = record%center_range
   self%exchanges = iand(record%traits, provider_exchanges) /= 0
   self%conservative = iand(record%traits, provider_conservative) /= 0
   self%uses_charge = iand(record%traits, provider_uses_charge) /= 0
   self%has_virial = iand(record%traits, provider_no_virial) == 0
end subroutine new_provider


!> A label without the place where the model runs: "water-accurate 755eff96 (FennixModel, 143913 parameters, float32"
pure function identity_of(label) result(text)
   character(len=*), intent(in) :: label
   character(len=:), allocatable :: text
   character(len=*), parameter :: precision = ", float"
   integer :: at

   text = trim(label)
   at = index(text, precision)
   if (at > 0) text = text(:min(len(text), at + len(precision) + 1))
end function identity_of


!> One evaluation; the result's arrays are set by the caller
subroutine call_provider(self, request, result, error)
   type(provider_type), intent(in) :: self
   type(force_request), intent(in) :: request
   type(force_result), intent(inout) :: result
   type(error_type), allocatable, intent(out) :: error
   procedure(force_function), pointer :: force

   call c_f_procpointer(self%record%force, force)
   if (force(self%record%context, request, result) /= 0) call fatal_error(error, provider_text(self))
end subroutine call_provider


!> The provider's own words about its last failure
function provider_text(self) result(text)
   type(provider_type), intent(in) :: self
   character(len=:), allocatable :: text
   character(kind=c_char) :: buffer(message_length)
   procedure(message_function), pointer :: message

   text = "the force provider " // self%label // " failed and gave no reason"
   if (.not. c_associated(self%record%message)) return
   buffer = c_null_char
   call c_f_procpointer(self%record%message, message)
   call message(self%record%context, buffer, int(message_length, c_int))
   if (buffer(1) /= c_null_char) text = from_c(buffer)
end function provider_text

end module fennix_provider
